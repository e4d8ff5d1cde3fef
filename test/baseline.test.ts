import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { bundle } from './gateways.ts';
import { startProcess } from './process.ts';

/**
 * Figures that no load on the machine changes. A tenth more than `baseline.json` fails. If more is
 * intended, `UPDATE_BASELINE=1` writes the file, and the commit gives the reason.
 */
const file = new URL('baseline.json', import.meta.url);
const baseline = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
const counted: Record<string, number> = {};

function expectNoMore(name: string, count: number): void {
  counted[name] = count;
  if (!process.env.UPDATE_BASELINE)
    expect(count, `${name}, baseline ${baseline[name]}`).toBeLessThan((baseline[name] ?? 0) * 1.1);
}

afterAll(() => {
  if (process.env.UPDATE_BASELINE) writeFileSync(file, `${JSON.stringify(counted, null, 2)}\n`);
});

test('the size of the Worker, gzipped', async () => {
  expectNoMore('bundleBytes', gzipSync(await bundle()).length);
});

test('the number of modules that a start loads', async () => {
  const gateway = await startProcess({ LOG_LEVEL: 'error' }, [
    '--expose-gc',
    '--import',
    './test/heap-probe.ts',
    'src/main.ts',
  ]);
  gateway.child.kill('SIGWINCH');
  const line = () => /^heap (.*)$/m.exec(gateway.stderr())?.[1];
  while (line() === undefined) await sleep(5);
  gateway.child.kill();
  const { modules } = JSON.parse(line() ?? '{}') as { modules: number };
  expect(modules).toBeGreaterThan(50);
  expectNoMore('startModules', modules);
});
