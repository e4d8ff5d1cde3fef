#!/usr/bin/env node
/**
 * The command. This file and the one it imports must run on every Node that has ES modules: an old Node reads
 * no TypeScript, and it must say so in its first line. Hence no static import of anything that is new.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as modules from 'node:module';
import { fileURLToPath } from 'node:url';
import { isOldNode, oldNodeMessage, ownNode } from './node-version.js';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

function main() {
  const sources = at('../src/cli/main.ts');
  const isCheckout = existsSync(sources);
  if (isOldNode()) {
    const own = at(ownNode);
    if (!existsSync(own)) return end(oldNodeMessage(isCheckout));
    // The checkout has a newer Node among its dependencies.
    const { status, signal } = spawnSync(own, [at('./sluice.js')].concat(process.argv.slice(2)), {
      stdio: 'inherit',
    });
    process.exit(signal || status === null ? 1 : status);
  }
  if (isCheckout && !existsSync(at('../node_modules')))
    return end('sluice: the dependencies are not installed. Run this first: npm install');
  // Compiled code is kept between starts, which halves the time to the first answer.
  modules.enableCompileCache();
  import(isCheckout ? sources : at('../dist/node/cli.js'))
    .then((cli) => cli.main(process.argv.slice(2), process.env))
    .then((code) => {
      if (code !== null) process.exitCode = code;
      modules.flushCompileCache();
    });
}

function end(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

main();
