#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

if (Number(process.versions.node.split('.')[0]) < 24) {
  // The development checkout brings a newer Node than the machine may have.
  const own = at('../node_modules/node/bin/node');
  if (!existsSync(own)) {
    process.stderr.write(`sluice: Node ${process.versions.node} is too old. Install Node 24 or newer.\n`);
    process.exit(1);
  }
  const { status, signal } = spawnSync(own, [at('./sluice.js'), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exit(signal ? 1 : (status ?? 1));
}

// What Node makes of the sources is kept between starts, which halves the time to the first answer.
enableCompileCache();
const sources = at('../src/cli/main.ts');
const built = at('../dist/node/cli.js');
const { main } = await import(existsSync(sources) ? sources : built);
const code = await main(process.argv.slice(2), process.env);
if (code !== null) process.exitCode = code;
flushCompileCache();
