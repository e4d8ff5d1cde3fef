import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmulator } from './emulated.ts';
import { type Process, startProcess } from './process.ts';
import { answer, chunk, done, event, lastChunk, startRawUpstream, streamHead } from './raw-upstream.ts';
import { readUntilBroken } from './read-until-broken.ts';

/**
 * What a gateway holds. `rss` is the maximum while it was busy, because at rest it depends on the
 * allocator. The others are taken at rest.
 */
export type Held = {
  readonly rss: number;
  readonly used: number;
  readonly files: number;
  readonly timers: number;
};

/** The result of a soak. */
export type Soaked = {
  readonly before: Held;
  readonly after: Held;
  readonly requests: number;
  readonly wrong: readonly string[];
};

/**
 * Keeps a gateway busy for some seconds with everything at once: streams, clients that leave,
 * upstreams that break, pictures, files. Measures after a third of the time, and at the end.
 */
export async function soak(seconds: number, report: (line: string) => void = () => {}): Promise<Soaked> {
  const path = '/v1/chat/completions';
  const upstream = await startRawUpstream({
    [path]: (n, request) => {
      if (n % 10 === 0) return [streamHead, chunk(event('half')), 5, 'reset'];
      if (n % 17 === 0) return ['reset'];
      if (!request.includes('"stream":true')) return [answer(200, '{"choices":[]}')];
      return [
        streamHead,
        ...Array.from({ length: 20 }, (_, i) => [chunk(event(`part ${i} `)), 2]).flat(),
        chunk(done),
        lastChunk,
      ];
    },
  });
  const web = await startEmulator();
  const gateway = await startProcess(
    {
      SLUICE_CONFIG: JSON.stringify({
        upstreams: {
          openai: { kind: 'openai', url: upstream.url, key: 'k' },
          web: { kind: 'backend-api', url: web.url, prefix: 'emulator-web', key: 'k' },
        },
      }),
      LOG_LEVEL: 'error',
    },
    ['--expose-gc', '--import', './test/probe.ts', 'src/main.ts'],
  );

  let stopped = false;
  let requests = 0;
  const wrong: string[] = [];
  const ask = async (model: string, content: unknown, stream: boolean, leaves = false): Promise<void> => {
    requests++;
    const left = new AbortController();
    const response = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content }] }),
      signal: left.signal,
    });
    if (leaves) {
      await response.body?.getReader().read();
      left.abort();
      return;
    }
    const { text } = await readUntilBroken(response);
    const link = /\((http[^)]+)\)/.exec(text)?.[1];
    if (link) {
      const picture = await fetch(link);
      if (picture.status !== 200) wrong.push(`a link was ${picture.status}`);
      await picture.arrayBuffer();
    }
    if (![200, 429, 502].includes(response.status)) wrong.push(`${response.status}: ${text.slice(0, 100)}`);
    // A stream ends well, or says that it did not.
    if (stream && response.status === 200 && !text.endsWith(done) && !/data: \{"error":.*\}\n\n$/.test(text))
      wrong.push(`ended with ${JSON.stringify(text.slice(-80))}`);
  };
  const picture = `data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==`;
  const kinds: readonly (() => Promise<void>)[] = [
    () => ask('gpt-4o-mini', 'x', true),
    () => ask('gpt-4o-mini', 'x', false),
    () => ask('gpt-4o-mini', 'x', true, true),
    () => ask('gpt-4-s', 'plain words', true),
    () => ask('gpt-4-s', '/v1 /code', true),
    () => ask('gpt-4-s', '/draw 3', false),
    () => ask('gpt-4-s', '/break', true),
    () => ask('gpt-4-s', '/error 429', true),
    () => ask('gpt-4-s', 'a stream that the client leaves', true, true),
    () => ask('gpt-4-s', [{ type: 'image_url', image_url: { url: picture } }], false),
  ];
  const worker = async (i: number): Promise<void> => {
    for (let n = i; !stopped; n++) {
      await (kinds[n % kinds.length] as () => Promise<void>)().catch((error: unknown) => {
        if ((error as Error).name !== 'AbortError') wrong.push(String(error));
      });
      await sleep(10);
    }
  };
  /** Works for so long; gives the most memory that was held in the second half of it. */
  const run = async (ms: number): Promise<number> => {
    stopped = false;
    let most = 0;
    const half = Date.now() + ms / 2;
    const watch = setInterval(() => {
      if (Date.now() > half) most = Math.max(most, gateway.rss());
    }, 250);
    const workers = Promise.all(Array.from({ length: 8 }, (_, i) => worker(i)));
    await sleep(ms);
    stopped = true;
    await workers;
    clearInterval(watch);
    return most;
  };

  const before = await heldBy(gateway, await run((seconds * 1000) / 3));
  report(`after ${requests} requests: ${JSON.stringify(before)}`);
  const after = await heldBy(gateway, await run((seconds * 2000) / 3));
  report(`after ${requests} requests: ${JSON.stringify(after)}`);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  upstream.stop();
  web.stop();
  return { before, after, requests, wrong };
}

/** Looks at a gateway at rest: idle connections have closed by then. */
async function heldBy(gateway: Process, rss: number): Promise<Held> {
  // Undici keeps idle connections for four seconds, the guarded fetch for ten.
  await sleep(11_000);
  const probes = () =>
    gateway
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('probe '));
  const count = probes().length;
  gateway.child.kill('SIGWINCH');
  while (probes().length === count) await sleep(20);
  const { heapUsed, external, resources } = JSON.parse(probes().at(-1)?.slice(6) ?? '{}') as {
    heapUsed: number;
    external: number;
    resources: Record<string, number>;
  };
  return {
    rss,
    used: heapUsed + external,
    files: readdirSync(`/proc/${gateway.child.pid}/fd`).length,
    timers: resources.Timeout ?? 0,
  };
}

if (process.argv[1] === import.meta.filename) {
  const seconds = Number(process.argv[2] ?? 120);
  const { requests, wrong } = await soak(seconds, (line) => console.log(line));
  console.log(`${requests} requests, ${wrong.length} went wrong`);
  for (const each of wrong.slice(0, 20)) console.log(each);
}
