/** Loaded into a gateway: SIGWINCH causes errors that nothing catches, with a key in their text. */
process.on('SIGWINCH', () => {
  setImmediate(() => {
    throw new Error('it failed with canary-server-key-1');
  });
  void Promise.reject(new Error('rejected with canary-server-key-1'));
});
