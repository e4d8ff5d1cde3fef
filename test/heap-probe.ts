import { registerHooks } from 'node:module';

/**
 * Loaded into a gateway that is measured. On SIGWINCH it prints the used heap, the number of
 * collections, and the number of modules that were loaded.
 */
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
process.on('SIGWINCH', () => {
  // Collects at every other signal: first a clean heap, then the heap as it grew.
  if (clean) globalThis.gc?.();
  clean = !clean;
  const { heapUsed } = process.memoryUsage();
  process.stderr.write(`heap ${JSON.stringify({ heapUsed, modules, collections })}\n`);
});
