/** Loaded into a gateway that is looked at from outside: on SIGUSR2 it cleans up and says what it holds. */
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  process.stderr.write(`probe ${JSON.stringify({ rss: process.memoryUsage.rss(), resources })}\n`);
});
