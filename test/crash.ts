/** Loaded into a gateway that is to meet errors nobody foresaw, with a key in their words: on SIGUSR2. */
process.on('SIGUSR2', () => {
  setImmediate(() => {
    throw new Error('it failed with canary-server-key-1');
  });
  void Promise.reject(new Error('rejected with canary-server-key-1'));
});
