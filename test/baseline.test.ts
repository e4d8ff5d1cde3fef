import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from './gateways.ts';
import { type Process, startProcess } from './process.ts';
import {
  answer,
  chunk,
  done,
  event,
  lastChunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
} from './raw-upstream.ts';

/**
 * What is counted, not timed: a tenth more than what is written in `baseline.json` fails. Where more is meant, `UPDATE_BASELINE=1` writes it down
 * anew, and the commit says why.
 */
const file = new URL('baseline.json', import.meta.url);
const baseline = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
const counted: Record<string, number> = {};

function expectNoMore(name: string, count: number): void {
  counted[name] = Math.round(count);
  if (!process.env.UPDATE_BASELINE)
    expect(count, `${name}, baseline ${baseline[name]}`).toBeLessThan((baseline[name] ?? 0) * 1.1);
}

let upstream: RawUpstream;
let gateway: Process;
beforeAll(async () => {
  upstream = await startRawUpstream({
    '/v1/chat/completions': () => [answer(200, `{"choices":[],"text":"${'word '.repeat(100)}"}`)],
    '/v1/responses': () => [
      streamHead,
      ...Array.from({ length: 100 }, (_, i) => [chunk(event(`word ${i}`)), 2]).flat(),
      chunk(done),
      lastChunk,
    ],
  });
  gateway = await startProcess(
    { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-server', ACCESS_KEYS: 'access-key-0123456789' },
    // A young generation that holds everything: nothing is collected while it is counted.
    [
      '--expose-gc',
      '--min-semi-space-size=128',
      '--max-semi-space-size=128',
      '--import',
      './test/heap-probe.ts',
      'src/main.ts',
    ],
  );
});
afterAll(() => {
  gateway.child.kill();
  upstream.stop();
  if (process.env.UPDATE_BASELINE) writeFileSync(file, `${JSON.stringify(counted, null, 2)}\n`);
});

type Heap = { heapUsed: number; modules: number; collections: number };

async function probe(): Promise<Heap> {
  const lines = () =>
    gateway
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('heap '));
  const before = lines().length;
  gateway.child.kill('SIGUSR2');
  while (lines().length === before) await sleep(5);
  return JSON.parse(lines().at(-1)?.slice(5) ?? '{}') as Heap;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });
const ask = (path: string) =>
  new Promise<void>((resolve, reject) => {
    const body = '{"model":"m","messages":[{"role":"user","content":"Say something."}]}';
    request(
      gateway.url + path,
      {
        agent,
        method: 'POST',
        headers: {
          authorization: 'Bearer access-key-0123456789',
          'content-type': 'application/json',
          'content-length': body.length,
        },
      },
      (response) => {
        response.resume();
        response.once('end', resolve);
      },
    )
      .once('error', reject)
      .end(body);
  });
const many = async (path: string, count: number) => {
  let left = count;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await ask(path);
    }),
  );
};

/** Bytes that each of so many requests leaves on the heap before anything is collected. */
async function bytesFor(path: string, count: number): Promise<number> {
  await many(path, Math.ceil(count / 2));
  const before = await probe();
  await many(path, count);
  const after = await probe();
  // The probe's own collection is told of a little later; there was no other.
  expect(after.collections - before.collections).toBe(1);
  return (after.heapUsed - before.heapUsed) / count;
}

test('the Worker’s bundle, gzipped', async () => {
  expectNoMore('bundleBytes', gzipSync(await bundle()).length);
});

test('modules that are loaded to start', async () => {
  const { modules } = await probe();
  await probe();
  expectNoMore('startModules', modules);
});

test('heap for a small request', { timeout: 60_000 }, async () => {
  expectNoMore('bytesPerRequest', await bytesFor('/v1/chat/completions', 1500));
});

test('heap for a chunk of a stream', { timeout: 60_000 }, async () => {
  // Chunks that arrive together cost less; the least of three is what one costs by itself on a machine that keeps up.
  const runs = [];
  for (let i = 0; i < 3; i++) runs.push((await bytesFor('/v1/responses', 60)) / 101);
  expectNoMore('bytesPerChunk', Math.min(...runs));
});
