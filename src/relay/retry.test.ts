import { describe, expect, test } from 'vitest';
import { type AttemptResult, Relay, type UpstreamRequest } from './relay.ts';
import { RetryState, retryAfterMs } from './retry.ts';

const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 0 };
const hop = (id: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  upstream: id.split('#')[0] ?? id,
  id,
  origin: `http://${id.split('#')[0]}`,
  path: '/v1/x',
  headers: [],
  body: null,
  timeouts,
  whenCallerLeaves: 'cancel',
  slots: null,
  secret: null,
  ...more,
});

type Options = { retries?: number; repeatable?: boolean };

function made(hops: readonly UpstreamRequest[], { retries = 0, repeatable = true }: Options = {}) {
  const notes: [string, AttemptResult][] = [];
  const relay = new Relay('POST', hops as [UpstreamRequest, ...UpstreamRequest[]], {
    retries,
    repeatable,
    report: ({ id }, result) => void notes.push([id, result]),
  });
  return { attempts: new RetryState(relay, () => 1), notes };
}

const none = () => undefined;
const header = (headers: Record<string, string>) => (name: string) => headers[name];

describe('after a status', () => {
  test.each([200, 201, 204, 302, 400, 404, 409, 413, 422])(
    '%i is kept, although another upstream is there',
    (status) => {
      expect(made([hop('a'), hop('b')]).attempts.afterStatus(status, none, () => 0)).toBe('keep');
    },
  );

  test.each([408, 429, 500, 502, 503, 504, 529])('%i leads to the next hop, at once', (status) => {
    const { attempts } = made([hop('a'), hop('b')]);
    expect(attempts.afterStatus(status, none, () => 0)).toMatchObject({ request: { id: 'b' }, waitMs: 0 });
    expect(attempts.count).toBe(2);
    expect(attempts.afterStatus(status, none, () => 0)).toBe('keep');
  });

  test.each([401, 402, 403])(
    '%i leads to another key of the upstream, and not to another upstream',
    (status) => {
      const keys = made([hop('a#0'), hop('a#1'), hop('b')]).attempts;
      expect(keys.afterStatus(status, none, () => 0)).toMatchObject({ request: { id: 'a#1' } });
      expect(keys.afterStatus(status, none, () => 0)).toBe('keep');
    },
  );

  test('what may not be sent twice is not', () => {
    expect(made([hop('a'), hop('b')], { repeatable: false }).attempts.afterStatus(503, none, () => 0)).toBe(
      'keep',
    );
    expect(
      made([hop('a', { body: 'incoming' }), hop('b', { body: 'incoming' })]).attempts.afterStatus(
        503,
        none,
        () => 0,
      ),
    ).toBe('keep');
    const read = made([hop('a', { body: 'incoming' }), hop('b', { body: 'incoming' })]).attempts;
    read.bodyIsRead();
    expect(read.afterStatus(503, none, () => 0)).toMatchObject({ request: { id: 'b' } });
  });

  test('all are asked again where that is allowed, later each time', () => {
    const { attempts } = made([hop('a'), hop('b')], { retries: 2 });
    const waits = Array.from({ length: 6 }, () => attempts.afterStatus(503, none, () => 0)).map((verdict) =>
      verdict === 'keep' ? null : [verdict.request.id, verdict.waitMs],
    );
    expect(waits).toEqual([['b', 0], ['a', 250], ['b', 0], ['a', 500], ['b', 0], null]);
  });

  test('an upstream that says how long to wait is believed', () => {
    const wait = (headers: Record<string, string>) =>
      made([hop('a')], { retries: 1 }).attempts.afterStatus(503, header(headers), () => 0);
    expect(wait({ 'retry-after': '3' })).toMatchObject({ waitMs: 3000 });
    expect(wait({ 'retry-after-ms': '700' })).toMatchObject({ waitMs: 700 });
    expect(wait({ 'retry-after-ms': '1' })).toMatchObject({ waitMs: 250 });
    expect(wait({ 'retry-after': '60' })).toBe('keep');
  });

  test('a rate limit without a word of how long is passed on', () => {
    expect(made([hop('a')], { retries: 3 }).attempts.afterStatus(429, none, () => 0)).toBe('keep');
  });

  test('is reported to the health record', () => {
    const { attempts, notes } = made([hop('a#0'), hop('a#1'), hop('b')]);
    attempts.afterStatus(429, header({ 'retry-after': '7' }), () => 0);
    attempts.afterStatus(503, none, () => 0);
    attempts.afterStatus(200, none, () => 0);
    expect(notes).toEqual([
      ['a#0', { coolDownMs: 7000 }],
      ['a#1', 'failed'],
      ['b', 'ok'],
    ]);
  });
});

describe('after no answer', () => {
  test('a request that was never sent is tried once more, whatever it does', () => {
    const { attempts } = made([hop('a')], { repeatable: false });
    expect(attempts.afterFailure('unsent')).toMatchObject({ request: { id: 'a' } });
    expect(attempts.afterFailure('unsent')).toBe('keep');
  });

  test('one that may have been read is tried once more only where that harms nothing', () => {
    expect(made([hop('a')]).attempts.afterFailure('unanswered')).toMatchObject({ request: { id: 'a' } });
    expect(made([hop('a')], { repeatable: false }).attempts.afterFailure('unanswered')).toBe('keep');
  });

  test('one that took too long is asked of another, and not again of the same', () => {
    expect(made([hop('a')]).attempts.afterFailure('timeout')).toBe('keep');
    expect(made([hop('a'), hop('b')]).attempts.afterFailure('timeout')).toMatchObject({
      request: { id: 'b' },
    });
  });

  test('a hop that is full is passed over, even with a body that is still arriving', () => {
    const { attempts, notes } = made([hop('a', { body: 'incoming' }), hop('b', { body: 'incoming' })]);
    expect(attempts.afterFailure('full')).toMatchObject({ request: { id: 'b' }, waitMs: 0 });
    expect(attempts.afterFailure('full')).toBe('keep');
    expect(notes).toEqual([]);
  });

  test('never more than a dozen times', () => {
    const { attempts } = made(
      Array.from({ length: 30 }, (_, i) => hop(`u${i}`)),
      { retries: 5 },
    );
    let count = 1;
    while (attempts.afterFailure('unsent') !== 'keep') count++;
    expect(count).toBe(12);
  });
});

test('a stream that begins with an error is worth a look only where there is somewhere to go', () => {
  expect(made([hop('a')]).attempts.hasNext).toBe(false);
  expect(made([hop('a'), hop('b')]).attempts.hasNext).toBe(true);
  expect(made([hop('a'), hop('b')], { repeatable: false }).attempts.hasNext).toBe(false);
  const { attempts } = made([hop('a'), hop('b')]);
  expect(attempts.afterErrorEvent()).toMatchObject({ request: { id: 'b' } });
  expect(attempts.hasNext).toBe(false);
  expect(attempts.afterErrorEvent()).toBe('keep');
});

test.each([
  [{ 'retry-after-ms': '1500' }, 1500],
  [{ 'retry-after': '2' }, 2000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:01:00 GMT' }, 60_000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': '-5' }, null],
  [{}, null],
])('%j asks to wait %s ms', (headers, ms) => {
  expect(retryAfterMs(header(headers as Record<string, string>), 0)).toBe(ms);
});
