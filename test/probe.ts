/** Loaded into a gateway: on SIGWINCH it collects garbage and prints what it holds. */
process.on('SIGWINCH', () => {
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
