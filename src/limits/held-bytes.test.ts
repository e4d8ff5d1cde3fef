import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHeldBytes, type Hold } from './held-bytes.ts';

const failing = (status: number) => expect.objectContaining({ status, headers: { 'retry-after': '1' } });

test('one caller holds so many bytes, and another one still may', () => {
  const bytes = createHeldBytes({ total: 100, perCaller: 60 });
  const first = bytes.open('a');
  first.add(50);
  expect(() => bytes.open('a').add(11)).toThrow(failing(429));
  bytes.open('a').add(10);
  bytes.open('b').add(30);
  expect(bytes.total()).toBe(90);
});

test('all callers together hold so many bytes', () => {
  const bytes = createHeldBytes({ total: 100, perCaller: 60 });
  bytes.open('a').add(60);
  const other = bytes.open('b');
  expect(() => other.add(41)).toThrow(failing(503));
  other.add(40);
  expect(() => bytes.open('c').add(1)).toThrow(failing(503));
});

test('a body that alone exceeds the limit is a 413: to send it again would not help', () => {
  const bytes = createHeldBytes({ total: 100, perCaller: 50 });
  const hold = bytes.open('a');
  hold.add(40);
  expect(() => hold.add(11)).toThrow(expect.objectContaining({ status: 413 }));
  expect(bytes.total()).toBe(40);
});

test('bytes come back once, however often they are released', () => {
  const bytes = createHeldBytes({ total: 100, perCaller: 0 });
  const first = bytes.open('a');
  bytes.open('a').add(40);
  first.add(60);
  first.release();
  first.release();
  first.add(60);
  expect(bytes.total()).toBe(40);
});

test('0 is no limit', () => {
  const hold = createHeldBytes({ total: 0, perCaller: 0 }).open('a');
  hold.add(1e12);
});

test('in any order of requests the limits hold and nothing is left at the end', () => {
  const step = fc.record({
    caller: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.integer({ min: 0, max: 50 }),
    ends: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const bytes = createHeldBytes({ total: 100, perCaller: 60 });
      const open: { hold: Hold; caller: string; held: number }[] = [];
      for (const { caller, bytes: count, ends } of steps) {
        if (ends) open.shift()?.hold.release();
        const request = { hold: bytes.open(caller), caller, held: 0 };
        open.push(request);
        try {
          request.hold.add(count);
          request.held = count;
        } catch {
          // Refused: nothing was counted.
        }
        const sum = (all: typeof open) => all.reduce((total, { held }) => total + held, 0);
        expect(bytes.total()).toBe(sum(open));
        expect(sum(open)).toBeLessThanOrEqual(100);
        expect(sum(open.filter((each) => each.caller === caller))).toBeLessThanOrEqual(60);
      }
      for (const { hold } of open) hold.release();
      expect(bytes.total()).toBe(0);
    }),
  );
});
