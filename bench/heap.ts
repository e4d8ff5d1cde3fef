import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Process, startProcess } from '../test/process.ts';
import { answer, chunk, done, event, lastChunk, startRawUpstream, streamHead } from '../test/raw-upstream.ts';

/**
 * Prints the bytes that a request and a chunk leave on the heap before anything is collected.
 * The figures differ by machine and load, so this is not a test. `node bench/heap.ts`
 */
type Heap = { readonly heapUsed: number; readonly collections: number };

const key = 'access-key-0123456789';
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Asks the gateway for its heap: `test/heap-probe.ts` answers on stderr. */
async function probe(gateway: Process): Promise<Heap> {
  const lines = () =>
    gateway
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('heap '));
  const before = lines().length;
  gateway.child.kill('SIGWINCH');
  while (lines().length === before) await sleep(5);
  return JSON.parse(lines().at(-1)?.slice(5) ?? '{}') as Heap;
}

function send(url: string): Promise<void> {
  const body = '{"model":"m","messages":[{"role":"user","content":"Say something."}]}';
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': body.length,
  };
  return new Promise((resolve, reject) => {
    request(url, { agent, method: 'POST', headers }, (response) => {
      response.resume();
      response.once('end', resolve);
    })
      .once('error', reject)
      .end(body);
  });
}

async function sendMany(url: string, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await send(url);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function bytesFor(gateway: Process, path: string, count: number): Promise<number> {
  await sendMany(gateway.url + path, Math.ceil(count / 2));
  const before = await probe(gateway);
  await sendMany(gateway.url + path, count);
  const after = await probe(gateway);
  // The probe itself collects once. More means that the young generation was full.
  if (after.collections - before.collections !== 1) return Number.NaN;
  return (after.heapUsed - before.heapUsed) / count;
}

const upstream = await startRawUpstream({
  '/v1/chat/completions': () => [answer(200, `{"choices":[],"text":"${'word '.repeat(100)}"}`)],
  '/v1/responses': () => [
    streamHead,
    ...Array.from({ length: 100 }, (_, i) => [chunk(event(`word ${i}`)), 2]).flat(),
    chunk(done),
    lastChunk,
  ],
});
const gateway = await startProcess(
  { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-server', ACCESS_KEYS: key },
  [
    '--expose-gc',
    // A young generation that holds everything, so that nothing is collected between two probes.
    '--min-semi-space-size=128',
    '--max-semi-space-size=128',
    '--import',
    './test/heap-probe.ts',
    'src/main.ts',
  ],
);
for (let round = 0; round < 3; round++) {
  const small = await bytesFor(gateway, '/v1/chat/completions', 1500);
  const chunks = (await bytesFor(gateway, '/v1/responses', 60)) / 101;
  process.stdout.write(`${small.toFixed(0)} bytes a request, ${chunks.toFixed(0)} bytes a chunk\n`);
}
gateway.child.kill();
upstream.stop();
agent.destroy();
