import { spawn } from 'node:child_process';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProcess } from './process.ts';
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

let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream({
    // Two seconds of a stream.
    '/v1/slow': () => [
      streamHead,
      ...Array.from({ length: 20 }, (_, i) => [chunk(event(`part ${i}`)), 100]).flat(),
      chunk(done),
      lastChunk,
    ],
    '/v1/hang': () => [streamHead, chunk(event('one')), 'never'],
    // The pause leaves CPU time to the processes that start meanwhile.
    '/v1/quick': () => [10, answer(200, '{"quick":true}')],
  });
});
afterAll(() => upstream.stop());

const env = () => ({ OPENAI_BASE_URL: `${upstream.url}/v1`, LOG_LEVEL: 'error' });
const own = { authorization: 'Bearer k' };
const waiting = { timeout: 30_000, interval: 10 };

/** Call it before a request: the result waits until the upstream has got the request. */
function nextRequest(path: string): () => Promise<void> {
  const before = upstream.asked.get(path) ?? 0;
  return () => expect.poll(() => upstream.asked.get(path) ?? 0, waiting).toBeGreaterThan(before);
}

describe('a gateway that gets SIGTERM', { timeout: 180_000 }, () => {
  test('lets two hundred open streams end, accepts no new connection, and exits', async () => {
    const gateway = await startProcess({ ...env(), DRAIN_TIMEOUT: '20' });
    const before = upstream.asked.get('/v1/slow') ?? 0;
    const streams = Array.from({ length: 200 }, async () =>
      (await fetch(`${gateway.url}/v1/slow`, { headers: own })).text(),
    );
    await expect.poll(() => (upstream.asked.get('/v1/slow') ?? 0) - before, waiting).toBe(200);
    gateway.child.kill('SIGTERM');
    const isRefused = () =>
      fetch(`${gateway.url}/readyz`, { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      );
    await expect.poll(isRefused, waiting).toBe(true);
    const texts = await Promise.all(streams);
    expect(texts.filter((text) => text.endsWith(done)).length).toBe(200);
    expect(await gateway.exited).toBe(0);
  });

  test('says on connections that are open that it is not ready, and closes them', async () => {
    const gateway = await startProcess({ ...env(), DRAIN_TIMEOUT: '20' });
    const stream = fetch(`${gateway.url}/v1/slow`, { headers: own }).then((response) => response.text());
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<{ status: number | undefined; connection: string | undefined }>((resolve, reject) =>
        httpRequest(`${gateway.url}/readyz`, { agent }, (response) => {
          response.resume();
          response.once('end', () =>
            resolve({ status: response.statusCode, connection: response.headers.connection }),
          );
        })
          .once('error', reject)
          .end(),
      );
    expect((await ask()).status).toBe(200);
    gateway.child.kill('SIGTERM');
    await expect.poll(ask, waiting).toEqual({ status: 503, connection: 'close' });
    agent.destroy();
    expect(await stream).toContain('[DONE]');
    expect(await gateway.exited).toBe(0);
  });

  test('cuts a stream that is longer than DRAIN_TIMEOUT', async () => {
    const gateway = await startProcess({ ...env(), DRAIN_TIMEOUT: '1' });
    const streamIsOpen = nextRequest('/v1/hang');
    const cut = fetch(`${gateway.url}/v1/hang`, { headers: own }).then((response) => response.text());
    cut.catch(() => {});
    await streamIsOpen();
    gateway.child.kill('SIGTERM');
    expect(await gateway.exited).toBe(0);
    await expect(cut).rejects.toThrow();
  });

  test('ends at once at a second signal', async () => {
    const gateway = await startProcess({ ...env(), DRAIN_TIMEOUT: '60' });
    const streamIsOpen = nextRequest('/v1/hang');
    fetch(`${gateway.url}/v1/hang`, { headers: own }).then(
      (response) => response.text().catch(() => {}),
      () => {},
    );
    await streamIsOpen();
    gateway.child.kill('SIGTERM');
    const isRefused = () =>
      fetch(`${gateway.url}/livez`).then(
        () => false,
        () => true,
      );
    await expect.poll(isRefused, waiting).toBe(true);
    gateway.child.kill('SIGINT');
    expect(await gateway.exited).toBe(1);
  });
});

/** Sends requests over open connections until it is stopped. Counts the good ones. */
function hammer(url: string, connections: number) {
  let stopped = false;
  let good = 0;
  const bad: string[] = [];
  const one = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!stopped) {
      await new Promise<void>((resolve) => {
        const failed = (error: unknown) => {
          bad.push(String(error));
          resolve();
        };
        httpRequest(`${url}/v1/quick`, { agent, headers: own }, (response) => {
          response.resume();
          response.once('error', failed).once('end', () => {
            if (response.statusCode === 200) good++;
            else bad.push(String(response.statusCode));
            resolve();
          });
        })
          .once('error', failed)
          .end();
      });
    }
    agent.destroy();
  };
  const running = Promise.all(Array.from({ length: connections }, one));
  return async () => {
    stopped = true;
    await running;
    return { good, bad };
  };
}

/** Listens, and starts a process on that socket for each line of input. Prints their ends. */
const holdAndStart = `
  $^F = 10; $| = 1;
  my $socket = IO::Socket::INET->new(Listen => 511, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
  while (<STDIN>) {
    my $pid = fork();
    if (!$pid) { open(STDIN, '<', '/dev/null'); POSIX::dup2(fileno($socket), 3); exec @ARGV; }
    print "pid $pid\\n";
    if (!fork()) { 1 while kill(0, $pid) && select(undef, undef, undef, 0.02) == 0 && !zombie($pid); exit 0; }
  }
  sub zombie { open(my $f, '<', "/proc/$_[0]/stat") or return 1; my $z = <$f> =~ /\\) Z .* (\\d+)$/; print "ended " . ($1 >> 8) . "\\n" if $z; $z }
`;

test('a new process takes over from the old one without a failed request', { timeout: 180_000 }, async () => {
  // The parent holds the socket, as systemd does. Both processes accept connections from it.
  const holder = spawn(
    'perl',
    ['-MIO::Socket::INET', '-MPOSIX', '-e', holdAndStart, process.execPath, 'src/main.ts'],
    {
      env: { PATH: process.env.PATH ?? '', LISTEN_FDS: '1', DRAIN_TIMEOUT: '10', ...env() },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const lines = createInterface(holder.stdout as Readable)[Symbol.asyncIterator]();
  const lineLike = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the holder ended');
      const match = pattern.exec(value);
      if (match) return match[1] ?? '';
    }
  };
  const launch = async () => {
    holder.stdin?.write('start\n');
    const pid = Number(await lineLike(/^pid (\d+)$/));
    return { pid, url: await lineLike(/^sluice listening on (http:\S+)$/) };
  };
  let current = await launch();
  const stop = hammer(current.url, 20);
  for (let upgrade = 0; upgrade < 3; upgrade++) {
    await sleep(500);
    const next = await launch();
    process.kill(current.pid, 'SIGTERM');
    await lineLike(/^ended (0)$/);
    current = next;
  }
  const { good, bad } = await stop();
  expect(bad).toEqual([]);
  expect(good).toBeGreaterThan(100);
  process.kill(current.pid, 'SIGTERM');
  await lineLike(/^ended (0)$/);
  holder.kill();
});

describe('several processes', { timeout: 180_000 }, () => {
  test('share the port, and one that dies is started again', async () => {
    const gateway = await startProcess({ ...env(), WORKERS: '3', LOG_LEVEL: 'warn' });
    const children = async () =>
      (
        await (
          await import('node:fs/promises')
        ).readFile(`/proc/${gateway.child.pid}/task/${gateway.child.pid}/children`, 'utf8')
      )
        .trim()
        .split(' ')
        .filter(Boolean)
        .map(Number);
    const first = await children();
    expect(first.length).toBe(3);
    const ask = async () =>
      (await fetch(`${gateway.url}/v1/quick`, { headers: { ...own, connection: 'close' } })).status;
    for (let i = 0; i < 30; i++) expect(await ask()).toBe(200);
    process.kill(first[0] ?? 0, 'SIGKILL');
    await expect
      .poll(async () => (await children()).filter((pid) => !first.includes(pid)).length, waiting)
      .toBe(1);
    for (let i = 0; i < 30; i++) expect(await ask()).toBe(200);
    const open = await fetch(`${gateway.url}/v1/slow`, { headers: own });
    gateway.child.kill('SIGTERM');
    expect(await open.text()).toContain('[DONE]');
    expect(await gateway.exited).toBe(0);
  });

  test('a port that is in use is an error, and no process stays', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    await expect(startProcess({ ...env(), WORKERS: '2', PORT: String(port) })).rejects.toThrow('in use');
    other.close();
  });
});
