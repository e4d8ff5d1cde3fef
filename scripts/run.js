/**
 * `node scripts/run.js build`: runs a script of this folder. In plain JavaScript, because a fresh clone has
 * neither the dependencies nor a Node that reads TypeScript, and must say so in words.
 */
import { existsSync } from 'node:fs';
import { isOldNode, oldNodeMessage } from '../bin/node-version.js';

/** Imports a script, or ends with a line that says what to do first. */
export function run(name) {
  if (!existsSync(new URL('../node_modules/esbuild', import.meta.url)))
    return end('sluice: the dependencies are not installed. Run this first: npm install');
  if (isOldNode()) return end(oldNodeMessage(true));
  return import(`./${name}.ts`);
}

function end(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

if (process.argv[1]?.endsWith('run.js')) {
  const [name] = process.argv.splice(2, 1);
  run(name);
}
