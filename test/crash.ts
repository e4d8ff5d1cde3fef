/** Loaded into a gateway that is to meet an error nobody foresaw, with a key in its words. */
setTimeout(() => {
  throw new Error('it failed with canary-server-key-1');
}, 300);
setTimeout(() => void Promise.reject(new Error('rejected with canary-server-key-1')), 300);
