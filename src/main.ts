import { enableCompileCache, flushCompileCache } from 'node:module';

/**
 * `npm start`. What Node makes of the sources is kept between starts, which halves the time to the
 * first answer; it must be asked for before the rest is loaded, hence this separate file.
 */
enableCompileCache();
const { start } = await import('./node.ts');
await start(process.env);
// Now, not at the end: a process that is killed keeps nothing.
flushCompileCache();
