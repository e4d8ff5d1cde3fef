import { registerHooks } from 'node:module';

/** Loaded into a gateway whose heap is counted: on SIGUSR2 it says how much it holds, how often it collected, and how many modules it loaded to start. */
let modules = 0;
let collections = 0;
registerHooks({
  load(url, context, next) {
    modules++;
    return next(url, context);
  },
});
new PerformanceObserver((list) => {
  collections += list.getEntries().length;
}).observe({ entryTypes: ['gc'] });
let clean = true;
process.on('SIGUSR2', () => {
  // Once from a clean heap, and then as it grew: nothing is collected in between.
  if (clean) globalThis.gc?.();
  clean = !clean;
  const { heapUsed } = process.memoryUsage();
  process.stderr.write(`heap ${JSON.stringify({ heapUsed, modules, collections })}\n`);
});
