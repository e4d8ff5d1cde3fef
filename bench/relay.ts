import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Job, Result } from './driver.ts';
import { sdkHeaders } from './openai-traffic.ts';
import type { Peer } from './peer.ts';
import { converters, peers } from './peers.ts';
import { cpuMs, rss } from './processes.ts';

/** The figures of one gateway in one round of one scenario. */
export type Figures = {
  /** CPU microseconds for each request, chunk or converted answer. */
  readonly cpuMicros?: number;
  readonly requestsPerSecond?: number;
  readonly firstByteP50?: number;
  readonly firstByteP99?: number;
  readonly startMs?: number;
  /** Resident kilobytes for each open stream. */
  readonly streamKb?: number;
  readonly failed: number;
};

export type Scenario = {
  readonly name: string;
  readonly unit: string;
  /** Each round needs a new process. */
  readonly fresh?: true;
  /** For gateways that convert conversations only. */
  readonly converting?: true;
  run(
    peer: Peer,
    ask: (
      job: Omit<Job, 'port' | 'request'>,
      letter: string,
    ) => Promise<Result & { readonly count: number; readonly rssWhileOpen: number }>,
  ): Promise<Figures>;
};

const chunksPerStream = 100;

/** The scenarios of the table. Only the processes of the gateway are measured. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  json: {
    name: 'small JSON, 32 in flight',
    unit: 'µs/request',
    async run(peer, ask) {
      const job = { kind: 'json', connections: 32, count: 8000 } as const;
      const { result, micros } = await cpuOf(peer, () => ask(job, 'j'));
      return {
        cpuMicros: micros / result.count,
        requestsPerSecond: (result.count / result.wholeMs) * 1000,
        firstByteP50: percentile(result.firstBytes, 0.5),
        failed: result.failed,
      };
    },
  },
  burst: {
    name: '500 chunks at once, 16 in flight',
    unit: 'µs/stream',
    async run(peer, ask) {
      const count = 300;
      const { result, micros } = await cpuOf(peer, () =>
        ask({ kind: 'stream', connections: 16, count }, 'b'),
      );
      return { cpuMicros: micros / result.count, failed: result.failed };
    },
  },
  paced: {
    name: '100 chunks 2 ms apart, 50 streams',
    unit: 'µs/chunk',
    async run(peer, ask) {
      const count = 300;
      const { result, micros } = await cpuOf(peer, () =>
        ask({ kind: 'stream', connections: 50, count }, 'p'),
      );
      return { cpuMicros: micros / (result.count * chunksPerStream), failed: result.failed };
    },
  },
  latency: {
    name: 'small JSON, one at a time',
    unit: 'ms to the first byte',
    async run(_, ask) {
      const result = await ask({ kind: 'json', connections: 1, count: 1000 }, 'j');
      return {
        firstByteP50: percentile(result.firstBytes, 0.5),
        firstByteP99: percentile(result.firstBytes, 0.99),
        failed: result.failed,
      };
    },
  },
  'convert-500': converted(500, 100),
  'convert-2000': converted(2000, 20),
  'convert-8000': converted(8000, 5),
  'convert-paced': {
    name: 'conversations of 200 events, one every 2 ms, 20 at once',
    unit: 'µs/event',
    converting: true,
    async run(peer, ask) {
      const count = 100;
      const { result, micros } = await cpuOf(peer, () =>
        ask({ kind: 'stream', connections: 20, count }, 'cpaced=200'),
      );
      return { cpuMicros: micros / (result.count * 200), failed: result.failed };
    },
  },
  first: {
    name: 'a conversation of one token, one at a time',
    unit: 'ms to the first byte',
    converting: true,
    async run(_, ask) {
      const result = await ask({ kind: 'stream', connections: 1, count: 500 }, 'ctokens=1');
      return { firstByteP50: percentile(result.firstBytes, 0.5), failed: result.failed };
    },
  },
  start: {
    name: 'from its start to its first connection',
    unit: 'ms',
    fresh: true,
    run: async ({ startMs }) => ({ ...(startMs === undefined ? {} : { startMs }), failed: 0 }),
  },
  open: held('2,000 open streams, 4,000 chunks a second', 2000),
  many: held('9,500 open streams, 19,000 chunks a second', 9500),
};

/** Conversations of so many tokens at full speed, one at a time. */
function converted(tokens: number, count: number): Scenario {
  return {
    name: `a conversation of ${tokens.toLocaleString('en')} tokens, one at a time`,
    unit: 'µs/answer',
    converting: true,
    async run(peer, ask) {
      const { result, micros } = await cpuOf(peer, () =>
        ask({ kind: 'stream', connections: 1, count }, `ctokens=${tokens}`),
      );
      return { cpuMicros: micros / result.count, failed: result.failed };
    },
  };
}

/** Does some work. Gives its result and the CPU microseconds of the gateway meanwhile. */
async function cpuOf<T>(peer: Peer, work: () => Promise<T>): Promise<{ result: T; micros: number }> {
  const before = cpuMs(peer.pids());
  const result = await work();
  return { result, micros: (cpuMs(peer.pids()) - before) * 1000 };
}

/** The memory of each open stream, in a process that has just been warmed. */
function held(name: string, count: number): Scenario {
  return {
    name,
    unit: 'KB/stream',
    fresh: true,
    async run(peer, ask) {
      await ask({ kind: 'json', connections: 8, count: 500 }, 'j');
      const before = rss(peer.pids());
      const result = await ask({ kind: 'hold', connections: count, count, holdMs: 3000 }, 'o');
      return {
        streamKb: (result.rssWhileOpen - before) / 1024 / count,
        firstByteP50: percentile(result.firstBytes, 0.5),
        firstByteP99: percentile(result.firstBytes, 0.99),
        failed: result.failed,
      };
    },
  };
}

function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * p), sorted.length - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export type Row = {
  readonly peer: string;
  readonly name: string;
  readonly version: string;
  readonly scenario: string;
  readonly rounds: readonly Figures[];
};

/** Runs scenarios against gateways. Rounds are interleaved, so that other load falls on all. */
export async function compare(
  names: readonly string[],
  chosen: readonly string[],
  { rounds, scale }: { readonly rounds: number; readonly scale: number },
  report: (line: string) => void,
): Promise<readonly Row[]> {
  const mock = fork('bench/mock.ts');
  const upstream = await new Promise<number>((resolve) =>
    mock.once('message', ({ port }: { port: number }) => resolve(port)),
  );
  const rows = new Map<string, Row & { rounds: Figures[] }>();
  const running = new Map<string, Peer>();
  // Also if the run is interrupted.
  process.once('exit', () => {
    for (const peer of running.values()) peer.stop();
  });
  for (const key of chosen) {
    const scenario = scenarios[key];
    if (!scenario) throw new Error(`there is no scenario "${key}": ${Object.keys(scenarios).join(', ')}`);
    const start = async (name: string) => (peers[name] as (port: number) => Promise<Peer>)(upstream);
    const fitting = names.filter((name) => converters.includes(name) === (scenario.converting ?? false));
    if (!scenario.fresh) for (const name of fitting) running.set(name, await start(name));
    // Warm-up: code is compiled, connections are open, the heap has grown.
    for (let i = 0; i < 2; i++)
      for (const peer of running.values()) await scenario.run(peer, asker(peer, scale));
    for (let round = 0; round < rounds; round++) {
      for (const name of fitting) {
        const peer = running.get(name) ?? (await start(name));
        const figures = await scenario.run(peer, asker(peer, scale));
        if (scenario.fresh) peer.stop();
        const id = `${key} ${name}`;
        const row = rows.get(id) ?? {
          peer: name,
          name: peer.name,
          version: peer.version,
          scenario: key,
          rounds: [],
        };
        row.rounds.push(figures);
        rows.set(id, row);
      }
      report(`${scenario.name}: round ${round + 1} of ${rounds}`);
    }
    for (const peer of running.values()) peer.stop();
    running.clear();
  }
  mock.disconnect();
  return [...rows.values()];
}

function isRunning(peer: Peer): boolean {
  return peer.pids().every((pid) => existsSync(`/proc/${pid}/status`));
}

/** Sends a load to one gateway, from a separate process. */
function asker(peer: Peer, scale: number) {
  return async (
    job: Omit<Job, 'port' | 'request'>,
    letter: string,
  ): Promise<Result & { readonly count: number; readonly rssWhileOpen: number }> => {
    const driver: ChildProcess = fork('bench/driver.ts');
    const isConversation = letter.startsWith('c');
    const body = isConversation
      ? `{"model":"gpt-4","stream":false,"messages":[{"role":"user","content":"${letter.slice(1)}"}]}`
      : '{"model":"gpt-4o-mini","stream":false,"messages":[{"role":"user","content":"Say something about sluices, please."}]}';
    // The letter tells the mock what to do. Every gateway relays these paths alike.
    const path =
      isConversation || peer.name === 'Portkey' ? '/v1/chat/completions' : `/v1/${letter}/completions`;
    const headers = Object.entries({
      host: `127.0.0.1:${peer.port}`,
      ...sdkHeaders,
      ...peer.headers,
      ...(peer.name === 'Portkey'
        ? { 'x-portkey-custom-host': `${peer.headers['x-portkey-custom-host']}/${letter}` }
        : {}),
    });
    const stream = letter === 'j' ? body : body.replace('"stream":false', '"stream":true');
    const request = `POST ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}content-length: ${stream.length}\r\n\r\n${stream}`;
    let rssWhileOpen = 0;
    const response = new Promise<Result>((resolve) =>
      driver.on('message', (message: { result?: Result; opened?: true }) => {
        if (message.opened)
          setTimeout(() => {
            // A gateway that has died has no memory. Its failed requests are counted.
            rssWhileOpen = isRunning(peer) ? rss(peer.pids()) : Number.NaN;
          }, 2000);
        if (message.result) resolve(message.result);
      }),
    );
    // Streams that stay open are not scaled: their number is the scenario.
    const count = job.kind === 'hold' ? job.count : Math.ceil(job.count * scale);
    driver.send({ ...job, count, port: peer.port, request } satisfies Job);
    const result = await response;
    driver.disconnect();
    return { ...result, count, rssWhileOpen };
  };
}
