import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from '../emulated.ts';
import { type FakeUpstream, startFakeUpstream } from '../fake-upstream.ts';
import { type Attack, attackClasses, rawRequests } from './classes.ts';
import { type GatewayProcess, startProcess } from './gateway-process.ts';

const accessKey = 'canary-access-key-of-the-team';
const serverKey = 'canary-server-key-of-the-owner';
/** How many requests one attacker has under way. */
const atOnce = 20;
/** Milliseconds in which /livez answers, as the median: the machine may be busy with something else. */
const livezMs = 100;
const mostRss = 400 * 1024 ** 2;

let upstream: FakeUpstream;
let web: Emulated;
let gateways: Readonly<Record<string, GatewayProcess>>;

beforeAll(async () => {
  [upstream, web] = await Promise.all([startFakeUpstream(), startEmulator()]);
  const [guarded, callersKeys] = await Promise.all([
    startProcess({
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: serverKey,
      ACCESS_KEYS: `team=${accessKey}`,
      LOG_LEVEL: 'debug',
    }),
    startProcess({ BASE_URL: web.url, PROXY_API_PREFIX: 'emulator-web', LOG_LEVEL: 'debug' }),
  ]);
  gateways = { 'with access keys': guarded, 'with keys of its callers': callersKeys };
}, 60_000);
afterAll(async () => {
  for (const gateway of Object.values(gateways ?? {})) await gateway.stop();
  await upstream?.stop();
  web?.stop();
});

/** Sends attacks, so many at once; gives every response's text with its headers. */
async function send(url: string, attacks: readonly Attack[], key: string | null): Promise<string[]> {
  const responses: string[] = [];
  const waiting = [...attacks];
  const attacker = async (): Promise<void> => {
    for (let attack = waiting.shift(); attack; attack = waiting.shift()) {
      const { method = 'GET', path, headers = {}, body } = attack;
      const own = key !== null && !('authorization' in headers) ? { authorization: `Bearer ${key}` } : {};
      try {
        const response = await fetch(url + path, {
          method,
          headers: { ...own, ...headers },
          signal: AbortSignal.timeout(20_000),
          redirect: 'manual',
          ...(body === undefined ? {} : { body: body as BodyInit }),
        });
        responses.push(
          `${response.status} ${JSON.stringify([...response.headers])} ${await response.text()}`,
        );
      } catch (error) {
        responses.push(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, attacker));
  return responses;
}

/** Writes bytes to a socket; gives what comes back within a second. */
function sendRaw(url: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () =>
      socket.write(Buffer.from(bytes, 'latin1')),
    );
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(end, 1000);
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('error', end).on('close', end);
  });
}

/**
 * Asks /livez while something runs; gives the median time of a response. A process of its own asks: the
 * attacker is busy with its own bodies.
 */
async function whileAlive<T>(url: string, work: () => Promise<T>): Promise<{ result: T; median: number }> {
  const probe = spawn(process.execPath, ['test/attack/probe.ts', `${url}/livez`]);
  let text = '';
  probe.stdout.on('data', (data) => {
    text += data;
  });
  const ended = new Promise((resolve) => probe.once('exit', resolve));
  const result = await work();
  // Short work is over before the probe has begun.
  await new Promise((resolve) => setTimeout(resolve, 500));
  probe.stdin.end();
  await ended;
  const times = (JSON.parse(text) as number[]).sort((a, b) => a - b);
  return { result, median: times[Math.floor(times.length / 2)] ?? 0 };
}

const classes = attackClasses(accessKey);

describe.each(['with access keys', 'with keys of its callers'])('a gateway %s', (name) => {
  test.each(classes)('withstands $name', { timeout: 300_000 }, async ({ attacks }) => {
    const gateway = gateways[name] as GatewayProcess;
    upstream.clear();
    const key = name === 'with access keys' ? null : 'junk-key';
    const { result, median } = await whileAlive(gateway.url, () => send(gateway.url, attacks, key));
    expect(result).toHaveLength(attacks.length);
    for (const key of [accessKey, serverKey])
      expect(result.filter((response) => response.includes(key))).toEqual([]);
    expect(result.filter((response) => response.startsWith('500'))).toEqual([]);
    expect(median).toBeLessThan(livezMs);
    expect(gateway.rss()).toBeLessThan(mostRss);
    if (name === 'with access keys') expect(upstream.seen).toEqual([]);
  });

  test('withstands raw bytes', { timeout: 120_000 }, async () => {
    const gateway = gateways[name] as GatewayProcess;
    const { median } = await whileAlive(gateway.url, () =>
      Promise.all(rawRequests.map((bytes) => sendRaw(gateway.url, bytes))),
    );
    expect(median).toBeLessThan(livezMs);
  });

  test('wrote no key into its log', () => {
    const log = (gateways[name] as GatewayProcess).log();
    for (const key of [accessKey, serverKey]) expect(log).not.toContain(key);
  });
});

test('docs/security.md has the classes and their counts, 1500 inputs at least', () => {
  const rows = [...classes.map(({ name, attacks }) => [name, attacks.length] as const)];
  rows.push(['raw bytes', rawRequests.length]);
  const docs = readFileSync('docs/security.md', 'utf8');
  for (const [name, count] of rows) expect(docs).toContain(`| ${name} | ${count} |`);
  expect(2 * rows.reduce((sum, [, count]) => sum + count, 0)).toBeGreaterThanOrEqual(1500);
});
