import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faults } from '../src/relay/errors.ts';
import { createSemaphore } from '../src/relay/semaphore.ts';
import { bytes, transferOnFakeWire, upstreamRequest } from './fake-wire.ts';

/** The inputs that a wire may call, with their arguments. */
const input = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), upload: fc.boolean() }),
  fc.record({
    kind: fc.constant('head' as const),
    status: fc.constantFrom(100, 200, 200, 200, 204, 302, 401, 429, 500, 503, 700),
    type: fc.constantFrom('text/event-stream', 'application/json', 'audio/mpeg'),
    length: fc.constantFrom(null, 0, 5, 12, 100_000),
  }),
  fc.record({
    kind: fc.constant('data' as const),
    text: fc.constantFrom('data: {}\n\n', 'data: {"error":1}\n\n', 'x', '', '0123456789'),
  }),
  fc.record({ kind: fc.constant('end' as const) }),
  fc.record({
    kind: fc.constant('error' as const),
    fault: fc.constantFrom(faults.noAnswer(), faults.unreachable(), faults.unsendable()),
  }),
  fc.record({ kind: fc.constant('closed' as const) }),
  fc.record({ kind: fc.constant('uploaded' as const), length: fc.nat(8) }),
  fc.record({ kind: fc.constant('sent' as const) }),
  fc.record({ kind: fc.constant('shutDown' as const) }),
  fc.record({ kind: fc.constant('block' as const), isBlocked: fc.boolean() }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 500, 2000, 6000, 30_000) }),
);

const setup = fc.record({
  keepAlive: fc.constantFrom(0, 1),
  maxBodyBytes: fc.constantFrom(0, 10),
  upstreams: fc.integer({ min: 1, max: 3 }),
  retries: fc.nat(2),
  repeatable: fc.boolean(),
  total: fc.constantFrom(0, 20),
  leave: fc.constantFrom('cancel' as const, { seconds: 3, bytes: 20 }),
  secret: fc.constantFrom(null, 'x'),
  method: fc.constantFrom('GET', 'POST', 'HEAD'),
});

test('in any order of inputs a transfer ends once, releases once, and keeps its promises', {
  timeout: 300_000,
}, () => {
  fc.assert(
    fc.property(setup, fc.array(input, { maxLength: 30 }), (options, inputs) => {
      const slots = createSemaphore({ limit: 2, queue: 0, waitMs: 1 });
      const timeouts = { connect: 1, firstByte: 5, idle: 7, total: options.total };
      const requests = Array.from({ length: options.upstreams }, (_, i) =>
        upstreamRequest({
          ...{ slots, timeouts, secret: options.secret, whenCallerLeaves: options.leave },
          upstream: `u${i}`,
          id: `u${i}`,
        }),
      );
      const { wire, transfer, ends, pass } = transferOnFakeWire({
        method: options.method,
        requests,
        plan: { retries: options.retries, repeatable: options.repeatable },
        options: { keepAlive: options.keepAlive, maxBodyBytes: options.maxBodyBytes },
      });
      for (const step of inputs) apply(step, transfer, wire, pass);
      // However it went, a transfer that nobody helps any more ends by itself or with its client.
      pass(60_000);
      transfer.clientClosed();
      pass(60_000);
      expect(transfer.state).toBe('closed');
      expect(ends).toHaveLength(1);
      expect(wire.closes).toBe(1);
      expect(slots.busy).toBe(0);
      expect(wire.writesAfterEnd).toBe(0);
      checkLength(wire, options.method);
    }),
    { numRuns: Number(process.env.FUZZ_CASES ?? 5000) },
  );
});

type Made = ReturnType<typeof transferOnFakeWire>;
type Input = typeof input extends fc.Arbitrary<infer T> ? T : never;

function apply(step: Input, transfer: Made['transfer'], wire: Made['wire'], pass: Made['pass']): void {
  if (step.kind === 'start') transfer.start(!step.upload, step.upload);
  else if (step.kind === 'head') {
    const length = step.length === null ? [] : ['content-length', String(step.length)];
    transfer.head(step.status, ['content-type', step.type, 'location', '/v1/next', ...length]);
  } else if (step.kind === 'data') transfer.data(bytes(step.text));
  else if (step.kind === 'error') transfer.error(step.fault);
  else if (step.kind === 'closed') transfer.clientClosed();
  else if (step.kind === 'uploaded') transfer.uploaded(step.length);
  else if (step.kind === 'block') wire.isBlocked = step.isBlocked;
  else if (step.kind === 'pass') pass(step.ms);
  else transfer[step.kind]();
}

/** A response that was finished has exactly the promised bytes; no response has more. */
function checkLength(wire: Made['wire'], method: string): void {
  const at = wire.headers.indexOf('content-length');
  if (at < 0 || wire.ended === 'refused') return;
  const promised = Number(wire.headers[at + 1]);
  if (method === 'HEAD') return;
  expect(wire.text.length).toBeLessThanOrEqual(promised);
  if (wire.ended === 'finished' && wire.status !== 204) expect(wire.text.length).toBe(promised);
}
