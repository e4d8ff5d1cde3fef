import { describe, expect, test } from 'vitest';
import { bytes, transferOnFakeWire, upstreamRequest } from '../../test/fake-wire.ts';
import { faults } from './errors.ts';
import { createSemaphore } from './semaphore.ts';

const events = ['content-type', 'text/event-stream'];
const json = ['content-type', 'application/json'];
const length = (n: number) => ['content-length', String(n)];

describe('a response', () => {
  test('goes to the client as it comes, with our headers added', () => {
    const { wire, transfer, ends } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, ['Content-Type', 'text/plain', 'connection', 'close']);
    transfer.data(bytes('one '));
    transfer.data(bytes('two'));
    transfer.end();
    expect(wire).toMatchObject({ status: 200, text: 'one two', ended: 'finished', closes: 1 });
    expect(wire.headers).toEqual(['Content-Type', 'text/plain', 'x-request-id', 'req_1']);
    expect(ends).toMatchObject([{ status: 200, bytes: 7, endedBy: 'done', upstream: 'a', attempts: 1 }]);
  });

  test('of a known small size is held until it is whole', () => {
    const { wire, transfer } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, [...json, ...length(4)]);
    transfer.data(bytes('{"'));
    expect(wire.status).toBe(0);
    transfer.data(bytes('"}'));
    transfer.end();
    expect(wire).toMatchObject({ status: 200, text: '{""}', ended: 'finished' });
  });

  test('that is held and breaks is asked for again, then is a 502', () => {
    const { wire, transfer, pass } = transferOnFakeWire();
    transfer.start(false);
    for (let i = 0; i < 2; i++) {
      transfer.head(200, [...json, ...length(4)]);
      transfer.data(bytes('{"'));
      transfer.error(faults.noAnswer());
      pass(1000);
    }
    expect(wire).toMatchObject({ ended: 'refused', status: 502, text: '' });
    expect(wire.sent).toHaveLength(2);
  });

  test('that is shorter than its length is cut', () => {
    const { wire, transfer, ends } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, [...json, ...length(100_000)]);
    transfer.data(bytes('half'));
    transfer.end();
    expect(wire.ended).toBe('cut');
    expect(ends).toMatchObject([{ endedBy: 'upstream' }]);
  });

  test('never exceeds its promised length', () => {
    const { wire, transfer } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, ['content-type', 'audio/mpeg', ...length(70_000)]);
    transfer.data(new Uint8Array(70_000));
    transfer.data(bytes('more'));
    expect(wire.text).toHaveLength(70_000);
    expect(wire.ended).toBe('cut');
  });

  test('to HEAD may promise a length and has no body', () => {
    const { wire, transfer } = transferOnFakeWire({ method: 'HEAD' });
    transfer.start(false);
    transfer.head(200, [...json, ...length(10)]);
    transfer.end();
    expect(wire).toMatchObject({ ended: 'finished', status: 200 });
  });

  test.each([199, 99, 600, 999])('with status %i is a 502 at once', (status) => {
    const { wire, transfer } = transferOnFakeWire({ plan: { repeatable: false } });
    transfer.start(false);
    transfer.head(status, json);
    expect(wire).toMatchObject({ ended: 'refused', status: 502 });
  });

  test('whose head cannot be written is a 502, not a hang', () => {
    const { wire, transfer, ends } = transferOnFakeWire();
    wire.headError = new TypeError('Invalid character in header content');
    transfer.start(false);
    transfer.head(200, ['content-type', 'text/plain']);
    expect(wire).toMatchObject({ ended: 'refused', status: 502 });
    expect(ends).toMatchObject([{ status: 502, endedBy: 'gateway' }]);
  });
});

describe('an event stream', () => {
  test('has no length, because something may be added', () => {
    const { wire, transfer } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, [...events, ...length(30)]);
    expect(wire.headers).not.toContain('content-length');
  });

  test('keeps its length if it is compressed, because nothing can be added', () => {
    const { wire, transfer } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, [...events, 'content-encoding', 'gzip', ...length(30)]);
    expect(wire.headers).toContain('content-length');
  });

  test('that breaks ends in an error line, and unclean', () => {
    const { wire, transfer, ends } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: a'));
    transfer.error(faults.brokeOff());
    expect(wire.text).toMatch(/^data: a\n\ndata: \{"error":.*upstream_error.*\}\n\n$/);
    expect(wire.ended).toBe('cut');
    expect(ends).toMatchObject([{ endedBy: 'upstream', error: expect.stringContaining('broke off') }]);
  });

  test('is filled with heartbeats in silence, between events only', () => {
    const { wire, transfer, pass } = transferOnFakeWire({ options: { keepAlive: 5 } });
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: a\n\n'));
    pass(11_000);
    transfer.data(bytes('data: b'));
    pass(6000);
    expect(wire.text).toBe('data: a\n\n: keep-alive\n: keep-alive\ndata: b');
  });

  test('gets heartbeats that look like its own chunks', () => {
    const { wire, transfer, pass } = transferOnFakeWire({
      options: { keepAlive: 5 },
      plan: { repeatable: true, heartbeat: 'chunk', model: 'gpt-x' },
    });
    transfer.start(false);
    transfer.head(200, events);
    pass(5000);
    transfer.data(bytes('data: {"id":"c1","created":7,"model":"m","choices":[]}\n\n'));
    pass(5000);
    const chunks = [...wire.text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
    const empty = [{ index: 0, delta: {}, finish_reason: null }];
    expect(chunks[0]).toMatchObject({ id: 'chatcmpl-req_1', model: 'gpt-x', choices: empty });
    expect(chunks[2]).toMatchObject({ id: 'c1', created: 7, model: 'm', choices: empty });
  });

  test('gets no heartbeats while the client does not read', () => {
    const { wire, transfer, pass } = transferOnFakeWire({ options: { keepAlive: 5 } });
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: a\n\n'));
    wire.isBlocked = true;
    pass(60_000);
    expect(wire.text).toBe('data: a\n\n');
    expect(transfer.state).toBe('streaming');
  });

  test('that begins with an error is replaced by the next upstream’s', () => {
    const { wire, transfer } = transferOnFakeWire({
      requests: [upstreamRequest(), upstreamRequest({ upstream: 'b', id: 'b' })],
    });
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: {"error":{"message":"overloaded"}}\n\n'));
    expect(wire.sent.map(({ upstream }) => upstream)).toEqual(['a', 'b']);
    transfer.head(200, events);
    transfer.data(bytes('data: {}\n\n'));
    transfer.end();
    expect(wire).toMatchObject({ text: 'data: {}\n\n', ended: 'finished' });
  });

  test('is looked at for two seconds at most', () => {
    const { wire, transfer, pass } = transferOnFakeWire({
      requests: [upstreamRequest(), upstreamRequest({ upstream: 'b', id: 'b' })],
    });
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: half'));
    pass(2000);
    expect(wire).toMatchObject({ status: 200, text: 'data: half' });
  });
});

describe('time', () => {
  test.each([
    ['FIRST_BYTE_TIMEOUT', 10_000, []],
    ['TOTAL_TIMEOUT', 5000, [{ total: 5 }]],
  ] as const)('%s ends a request that has no head', (name, ms, [limits]) => {
    const timeouts = { connect: 1, firstByte: 10, idle: 20, total: 0, ...limits };
    const { wire, transfer, pass, ends } = transferOnFakeWire({ requests: [upstreamRequest({ timeouts })] });
    transfer.start(false);
    pass(ms - 1);
    expect(wire.ended).toBe('');
    pass(1);
    expect(wire).toMatchObject({ ended: 'refused', status: 504 });
    expect(wire.refusal?.message).toContain(name);
    expect(ends).toMatchObject([{ endedBy: 'timeout' }]);
  });

  test('TOTAL_TIMEOUT names itself in the middle of a stream', () => {
    const timeouts = { connect: 1, firstByte: 10, idle: 20, total: 5 };
    const { wire, transfer, pass } = transferOnFakeWire({ requests: [upstreamRequest({ timeouts })] });
    transfer.start(false);
    transfer.head(200, events);
    transfer.data(bytes('data: a\n\n'));
    pass(5000);
    expect(wire.text).toContain('TOTAL_TIMEOUT');
    expect(wire.text).toContain('upstream_timeout');
  });

  test('IDLE_TIMEOUT is measured from the last byte', () => {
    const { wire, transfer, pass } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, events);
    for (let i = 0; i < 5; i++) {
      pass(19_000);
      transfer.data(bytes('data: a\n\n'));
    }
    pass(19_999);
    expect(transfer.state).toBe('streaming');
    pass(1);
    expect(wire.text).toContain('IDLE_TIMEOUT');
  });

  test('an upload has no first-byte limit, but may not fall silent', () => {
    const { wire, transfer, pass } = transferOnFakeWire({
      requests: [upstreamRequest({ body: 'incoming' })],
    });
    transfer.start(false, true);
    for (let i = 0; i < 5; i++) {
      pass(15_000);
      transfer.uploaded(1000);
    }
    expect(transfer.state).toBe('connecting');
    pass(20_000);
    expect(wire).toMatchObject({ ended: 'refused', status: 408 });
  });

  test('the upstream has its time for the first byte once the upload is sent', () => {
    const { wire, transfer, pass } = transferOnFakeWire({
      requests: [upstreamRequest({ body: 'incoming' })],
    });
    transfer.start(false, true);
    pass(15_000);
    transfer.uploaded(10);
    transfer.sent();
    pass(9999);
    expect(wire.ended).toBe('');
    pass(1);
    expect(wire).toMatchObject({ ended: 'refused', status: 504 });
  });

  test('a small body that is never whole is a 408', () => {
    const { wire, transfer, pass } = transferOnFakeWire();
    transfer.uploaded(8);
    pass(20_000);
    expect(wire).toMatchObject({ ended: 'refused', status: 408 });
    expect(wire.sent).toHaveLength(0);
  });
});

describe('a limit', () => {
  test('on the request body is a 413, and ends the upload', () => {
    const { wire, transfer } = transferOnFakeWire({ options: { maxBodyBytes: 10 } });
    transfer.start(false, true);
    expect(transfer.uploaded(10)).toBe(true);
    expect(transfer.uploaded(1)).toBe(false);
    expect(wire).toMatchObject({ ended: 'refused', status: 413, aborts: 1 });
  });

  test('on concurrency queues, then lets in, and gives the slot back once', () => {
    const slots = createSemaphore({ limit: 1, queue: 1, waitMs: 1000 });
    const first = slots.tryAcquire();
    const { wire, transfer } = transferOnFakeWire({ requests: [upstreamRequest({ slots })] });
    transfer.start(false);
    expect(transfer.state).toBe('queued');
    first?.();
    expect(wire.sent).toHaveLength(1);
    transfer.clientClosed();
    expect(slots).toMatchObject({ busy: 0, waiting: 0 });
  });

  test('whose queue is full is a 503', () => {
    const slots = createSemaphore({ limit: 1, queue: 0, waitMs: 1000 });
    slots.tryAcquire();
    const { wire, transfer } = transferOnFakeWire({ requests: [upstreamRequest({ slots })] });
    transfer.start(false);
    expect(wire).toMatchObject({ ended: 'refused', status: 503 });
  });

  test('is left by a client that leaves the queue', () => {
    const slots = createSemaphore({ limit: 1, queue: 1, waitMs: 1000 });
    slots.tryAcquire();
    const { transfer, ends } = transferOnFakeWire({ requests: [upstreamRequest({ slots })] });
    transfer.start(false);
    transfer.clientClosed();
    expect(slots).toMatchObject({ busy: 1, waiting: 0 });
    expect(ends).toMatchObject([{ status: 499, endedBy: 'client' }]);
  });
});

describe('a client that leaves', () => {
  test('cancels the upstream', () => {
    const { wire, transfer, ends } = transferOnFakeWire();
    transfer.start(false);
    transfer.head(200, events);
    transfer.clientClosed();
    expect(wire.aborts).toBe(1);
    expect(ends).toMatchObject([{ status: 200, endedBy: 'client' }]);
  });

  test('leaves the upstream to be read on, within limits', () => {
    const policy = { seconds: 5, bytes: 10 };
    const { wire, transfer, pass } = transferOnFakeWire({
      requests: [upstreamRequest({ whenCallerLeaves: policy })],
    });
    transfer.start(false);
    transfer.head(200, events);
    transfer.clientClosed();
    expect(wire.readsOn).toBe(true);
    transfer.data(new Uint8Array(9));
    expect(transfer.state).toBe('draining');
    pass(5000);
    expect(transfer.state).toBe('closed');
  });
});

describe('a server-side key', () => {
  const withKey = { requests: [upstreamRequest({ secret: 'sk-owner' })] };

  test('is removed from the body and the headers of an error', () => {
    const { wire, transfer } = transferOnFakeWire(withKey);
    transfer.start(false);
    transfer.head(400, [...json, 'x-echo', 'sk-owner', ...length(29)]);
    transfer.data(bytes('{"error":{"message":"sk-owner'));
    transfer.end();
    expect(wire.text).toBe('{"error":{"message":"[key removed]');
    expect(wire.headers.join()).not.toContain('sk-owner');
    expect(wire.headers).toContain(String(wire.text.length));
  });

  test('that the upstream refuses is a 502 of ours', () => {
    const { wire, transfer } = transferOnFakeWire(withKey);
    const text = '{"error":{"message":"Incorrect API key provided: sk-owner."}}';
    transfer.start(false);
    transfer.head(401, json);
    transfer.data(bytes(text));
    transfer.end();
    expect(wire).toMatchObject({ ended: 'refused', status: 502 });
    expect(wire.refusal).toMatchObject({ code: 'upstream_credentials' });
    expect(wire.refusal?.message).toContain('Incorrect API key provided: [key removed].');
  });
});

test('redirects on the same host are followed at the head', () => {
  const { wire, transfer } = transferOnFakeWire({ method: 'GET' });
  transfer.start(false);
  transfer.head(302, ['location', '/v1/y', ...length(300_000_000)]);
  expect(wire.sent.map(({ path }) => path)).toEqual(['/v1/x', '/v1/y']);
  expect(wire.aborts).toBe(1);
});

test('a shutdown cuts what is open, and says so', () => {
  const { wire, transfer, ends } = transferOnFakeWire();
  transfer.start(false);
  transfer.head(200, events);
  transfer.shutDown();
  expect(wire.ended).toBe('cut');
  expect(ends).toMatchObject([{ endedBy: 'gateway' }]);
});
