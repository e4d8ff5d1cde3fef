/** Loaded into a gateway that is looked at from outside: on SIGUSR2 it cleans up and says what it holds. */
process.on('SIGUSR2', () => {
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  globalThis.gc?.();
  // What a collection frees goes back to the system a little later.
  setTimeout(() => {
    globalThis.gc?.();
    setTimeout(() => {
      const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
      process.stderr.write(`probe ${JSON.stringify({ rss, heapUsed, heapTotal, external, resources })}\n`);
    }, 1000);
  }, 1000);
});
