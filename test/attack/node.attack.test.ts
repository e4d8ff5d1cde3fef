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
/** Milliseconds in which /livez must answer. The attacker and the gateway are two processes. */
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

/** Asks /livez again and again while something runs; gives the median and the longest time in milliseconds. */
async function whileAlive<T>(url: string, work: Promise<T>): Promise<{ result: T; times: number[] }> {
  const times: number[] = [];
  let isOver = false;
  const result = work.finally(() => {
    isOver = true;
  });
  do {
    const start = performance.now();
    const response = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(30_000) });
    await response.text();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (!isOver);
  return { result: await result, times: times.sort((a, b) => a - b) };
}

const classes = attackClasses(accessKey);
const counts: Record<string, number> = {};

describe.each(['with access keys', 'with keys of its callers'])('a gateway %s', (name) => {
  test.each(classes)('withstands $name', { timeout: 300_000 }, async ({ name: kind, attacks }) => {
    const gateway = gateways[name] as GatewayProcess;
    upstream.clear();
    const work = send(gateway.url, attacks, name === 'with access keys' ? null : 'junk-key');
    const { result, times } = await whileAlive(gateway.url, work);
    counts[kind] = (counts[kind] ?? 0) + attacks.length;
    expect(result).toHaveLength(attacks.length);
    for (const key of [accessKey, serverKey])
      expect(result.filter((response) => response.includes(key))).toEqual([]);
    expect(result.filter((response) => response.startsWith('500'))).toEqual([]);
    // The median: this machine may be busy with something else at any one time.
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(livezMs);
    expect(times.at(-1)).toBeLessThan(10 * livezMs);
    expect(gateway.rss()).toBeLessThan(mostRss);
    if (name === 'with access keys') expect(upstream.seen).toEqual([]);
  });

  test('withstands raw bytes', { timeout: 120_000 }, async () => {
    const gateway = gateways[name] as GatewayProcess;
    const { times } = await whileAlive(
      gateway.url,
      Promise.all(rawRequests.map((bytes) => sendRaw(gateway.url, bytes))),
    );
    counts['raw bytes'] = (counts['raw bytes'] ?? 0) + rawRequests.length;
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(livezMs);
  });

  test('wrote no key into its log', () => {
    const log = (gateways[name] as GatewayProcess).log();
    for (const key of [accessKey, serverKey]) expect(log).not.toContain(key);
  });
});

test('there were at least 1500 inputs', () => {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  console.info(
    Object.entries(counts)
      .map(([kind, count]) => `| ${kind} | ${count} |`)
      .join('\n'),
    `\n| all | ${total} |`,
  );
  expect(total).toBeGreaterThanOrEqual(1500);
});
