import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Job, Told } from './driver.ts';
import { converters, type Peer, peers } from './peers.ts';
import { cpuMs, rss } from './processes.ts';

/** What one gateway did in one round of one scenario. */
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
  /** Whether each round needs a process that has done nothing before. */
  readonly fresh?: true;
  /** Whether it is for those that convert conversations, and not for the others. */
  readonly converting?: true;
  run(
    peer: Peer,
    ask: (job: Omit<Job, 'port' | 'request'>, letter: string) => Promise<Told & { rssWhileOpen: number }>,
  ): Promise<Figures>;
};

const chunksPerStream = 100;

/** The scenarios of the table. Each measures the gateway's own processes alone. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  json: {
    name: 'small JSON, 32 in flight',
    unit: 'µs/request',
    async run(peer, ask) {
      const count = 8000;
      const { told, micros } = await cpuOf(peer, () => ask({ kind: 'json', connections: 32, count }, 'j'));
      return {
        cpuMicros: micros / count,
        requestsPerSecond: (count / told.wholeMs) * 1000,
        firstByteP50: percentile(told.firstBytes, 0.5),
        failed: told.failed,
      };
    },
  },
  burst: {
    name: '100 chunks at once, 16 in flight',
    unit: 'µs/stream',
    async run(peer, ask) {
      const count = 1000;
      const { told, micros } = await cpuOf(peer, () => ask({ kind: 'stream', connections: 16, count }, 'b'));
      return { cpuMicros: micros / count, failed: told.failed };
    },
  },
  paced: {
    name: '100 chunks 2 ms apart, 50 streams',
    unit: 'µs/chunk',
    async run(peer, ask) {
      const count = 300;
      const { told, micros } = await cpuOf(peer, () => ask({ kind: 'stream', connections: 50, count }, 'p'));
      return { cpuMicros: micros / (count * chunksPerStream), failed: told.failed };
    },
  },
  latency: {
    name: 'small JSON, one at a time',
    unit: 'ms to the first byte',
    async run(_, ask) {
      const told = await ask({ kind: 'json', connections: 1, count: 1000 }, 'j');
      return {
        firstByteP50: percentile(told.firstBytes, 0.5),
        firstByteP99: percentile(told.firstBytes, 0.99),
        failed: told.failed,
      };
    },
  },
  'convert-500': converted(500, 100),
  'convert-2000': converted(2000, 20),
  'convert-8000': converted(8000, 5),
  first: {
    name: 'a conversation of one token, one at a time',
    unit: 'ms to the first byte',
    converting: true,
    async run(_, ask) {
      const told = await ask({ kind: 'stream', connections: 1, count: 500 }, 'c1');
      return { firstByteP50: percentile(told.firstBytes, 0.5), failed: told.failed };
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

/** Conversations of so many tokens, at full speed, one at a time. */
function converted(tokens: number, count: number): Scenario {
  return {
    name: `a conversation of ${tokens.toLocaleString('en')} tokens, one at a time`,
    unit: 'µs/answer',
    converting: true,
    async run(peer, ask) {
      const { told, micros } = await cpuOf(peer, () =>
        ask({ kind: 'stream', connections: 1, count }, `c${tokens}`),
      );
      return { cpuMicros: micros / count, failed: told.failed };
    },
  };
}

/** What some work came to, and the CPU microseconds that a gateway's processes used meanwhile. */
async function cpuOf<T>(peer: Peer, work: () => Promise<T>): Promise<{ told: T; micros: number }> {
  const before = cpuMs(peer.pids());
  const told = await work();
  return { told, micros: (cpuMs(peer.pids()) - before) * 1000 };
}

/** Streams that stay open: what each holds in memory, in a process that has only just been warmed. */
function held(name: string, count: number): Scenario {
  return {
    name,
    unit: 'KB/stream',
    fresh: true,
    async run(peer, ask) {
      await ask({ kind: 'json', connections: 8, count: 500 }, 'j');
      const before = rss(peer.pids());
      const told = await ask({ kind: 'hold', connections: count, count, holdMs: 3000 }, 'o');
      return {
        streamKb: (told.rssWhileOpen - before) / 1024 / count,
        firstByteP50: percentile(told.firstBytes, 0.5),
        firstByteP99: percentile(told.firstBytes, 0.99),
        failed: told.failed,
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

/** Runs scenarios against gateways, rounds interleaved so that what else the machine does falls on all alike. */
export async function compare(
  names: readonly string[],
  chosen: readonly string[],
  rounds: number,
  told: (line: string) => void,
): Promise<readonly Row[]> {
  const mock = fork('bench/mock.ts');
  const upstream = await new Promise<number>((resolve) =>
    mock.once('message', ({ port }: { port: number }) => resolve(port)),
  );
  const rows = new Map<string, Row & { rounds: Figures[] }>();
  for (const key of chosen) {
    const scenario = scenarios[key];
    if (!scenario) throw new Error(`there is no scenario "${key}": ${Object.keys(scenarios).join(', ')}`);
    const start = async (name: string) => (peers[name] as (port: number) => Promise<Peer>)(upstream);
    const running = new Map<string, Peer>();
    const fitting = names.filter((name) => converters.includes(name) === (scenario.converting ?? false));
    if (!scenario.fresh) for (const name of fitting) running.set(name, await start(name));
    // Warm: compiled, connected, grown.
    for (let i = 0; i < 2; i++) for (const peer of running.values()) await scenario.run(peer, asker(peer));
    for (let round = 0; round < rounds; round++) {
      for (const name of fitting) {
        const peer = running.get(name) ?? (await start(name));
        const figures = await scenario.run(peer, asker(peer));
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
      told(`${scenario.name}: round ${round + 1} of ${rounds}`);
    }
    for (const peer of running.values()) peer.stop();
  }
  mock.disconnect();
  return [...rows.values()];
}

function isRunning(peer: Peer): boolean {
  return peer.pids().every((pid) => existsSync(`/proc/${pid}/status`));
}

/** Asks one gateway from a process of its own. */
function asker(peer: Peer) {
  return async (
    job: Omit<Job, 'port' | 'request'>,
    letter: string,
  ): Promise<Told & { rssWhileOpen: number }> => {
    const driver: ChildProcess = fork('bench/driver.ts');
    const isConversation = letter.startsWith('c');
    const body = isConversation
      ? `{"model":"gpt-4","stream":false,"messages":[{"role":"user","content":"tokens=${letter.slice(1)}"}]}`
      : '{"model":"gpt-4o-mini","stream":false,"messages":[{"role":"user","content":"Say something about sluices, please."}]}';
    // The path's last letter tells the mock what to do; to every gateway it is chat.
    const path =
      isConversation || peer.name === 'Portkey' ? '/v1/chat/completions' : `/v1/${letter}/completions`;
    const headers = Object.entries({
      host: `127.0.0.1:${peer.port}`,
      'content-type': 'application/json',
      'user-agent': 'bench',
      accept: '*/*',
      ...peer.headers,
      ...(peer.name === 'Portkey'
        ? { 'x-portkey-custom-host': `${peer.headers['x-portkey-custom-host']}/${letter}` }
        : {}),
    });
    const stream = letter === 'j' ? body : body.replace('"stream":false', '"stream":true');
    const request = `POST ${path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}content-length: ${stream.length}\r\n\r\n${stream}`;
    let rssWhileOpen = 0;
    const told = new Promise<Told>((resolve) =>
      driver.on('message', (message: { told?: Told; opened?: true }) => {
        if (message.opened)
          setTimeout(() => {
            // A gateway that died of it has none; its failed requests tell.
            rssWhileOpen = isRunning(peer) ? rss(peer.pids()) : Number.NaN;
          }, 2000);
        if (message.told) resolve(message.told);
      }),
    );
    driver.send({ ...job, port: peer.port, request } satisfies Job);
    const result = await told;
    driver.disconnect();
    return { ...result, rssWhileOpen };
  };
}
