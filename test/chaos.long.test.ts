import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Process, startProcess } from './process.ts';
import {
  answer,
  chunk,
  done,
  event,
  lastChunk,
  type RawUpstream,
  type Script,
  startRawUpstream,
  streamHead,
} from './raw-upstream.ts';
import { readUntilBroken } from './read-until-broken.ts';

/** What the failing upstream did with each request, by the marker in it. */
const did = new Map<string, 'well' | 'early' | 'late'>();
const markerOf = (request: string) => /marker-(\d+)/.exec(request)?.[0] ?? '';

const early: readonly Script[] = [
  () => [answer(500, '{}')],
  () => [answer(503, '{}')],
  () => [answer(529, '{}')],
  () => ['reset'],
  () => ['HTTP/1.1 200 OK\r\ncont', 'reset'],
  () => [streamHead, chunk('data: {"error":{"message":"overloaded"}}\n\n'), lastChunk],
  () => ['never'],
];
const late: readonly Script[] = [
  () => [streamHead, chunk(event('half')), 10, 'reset'],
  () => [streamHead, chunk(event('half')), chunk('data: {"choi'), 10, 'reset'],
  () => [streamHead, chunk(event('half')), 'never'],
];
const well: Script = (_, request) => [
  streamHead,
  ...Array.from({ length: 5 }, (__, i) => [chunk(event(`${markerOf(request)} ${i} `)), 1]).flat(),
  chunk(done),
  lastChunk,
];

let flaky: RawUpstream;
let steady: RawUpstream;
let gateway: Process;
const path = '/v1/chat/completions';

beforeAll(async () => {
  let failures = 0;
  flaky = await startRawUpstream({
    [path]: (n, request) => {
      if (Math.random() >= 0.2) {
        did.set(markerOf(request), 'well');
        return well(n, request);
      }
      const isEarly = Math.random() < 0.7;
      did.set(markerOf(request), isEarly ? 'early' : 'late');
      const ways = isEarly ? early : late;
      return (ways[failures++ % ways.length] as Script)(n, request);
    },
  });
  steady = await startRawUpstream({ [path]: well });
  gateway = await startProcess({
    SLUICE_CONFIG: JSON.stringify({
      upstreams: {
        flaky: { kind: 'openai', url: flaky.url, key: 'k1' },
        steady: { kind: 'openai', url: steady.url, key: 'k2' },
      },
      models: { m: { upstreams: [{ upstream: 'flaky' }, { upstream: 'steady' }] } },
    }),
    FIRST_BYTE_TIMEOUT: '1',
    IDLE_TIMEOUT: '1',
  });
});
afterAll(() => {
  gateway.child.kill();
  flaky.stop();
  steady.stop();
});

test('one in five requests fails: before the first byte another upstream answers, after it the stream ends with an error', {
  timeout: 180_000,
}, async () => {
  const total = 600;
  let next = 0;
  const outcome = { whole: 0, broken: 0 };
  const wrong: string[] = [];
  const one = async (): Promise<void> => {
    while (next < total) {
      const marker = `marker-${next++}`;
      const response = await fetch(gateway.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: marker }] }),
      });
      const { text } = await readUntilBroken(response);
      if (response.status !== 200) wrong.push(`${marker} was ${response.status}`);
      const whole = Array.from({ length: 5 }, (_, i) => event(`${marker} ${i} `)).join('') + done;
      if (text === whole) outcome.whole++;
      else if (/data: \{"error":.*\}\n\n$/.test(text) && !text.includes('[DONE]')) outcome.broken++;
      else wrong.push(`${marker} got ${text.slice(-200)}`);
      const isLate = did.get(marker) === 'late';
      // A break before the first whole event is still replaced by the other upstream.
      if (!isLate && text !== whole)
        wrong.push(`${marker}: the upstream did ${did.get(marker)}, and it got ${text.slice(-80)}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, one));
  expect(wrong).toEqual([]);
  expect(outcome.whole + outcome.broken).toBe(total);
  const counted = (kind: string) => [...did.values()].filter((each) => each === kind).length;
  const replaced = counted('late') - outcome.broken;
  expect(outcome.broken).toBeGreaterThan(0);
  expect(replaced).toBeGreaterThanOrEqual(0);
  // The flaky upstream is skipped while it cools down after five failures in a row.
  expect(steady.asked.get(path)).toBe(counted('early') + replaced + (total - did.size));
  expect(flaky.asked.get(path)).toBe(did.size);
  const recorded = () =>
    gateway
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"route":"/v1/*"'));
  await expect.poll(() => recorded().length).toBe(total);
  const records = recorded();
  expect(records.filter((line) => line.includes('"attempts":2')).length).toBe(counted('early') + replaced);
});
