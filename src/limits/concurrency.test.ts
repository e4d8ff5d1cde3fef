import { expect, test } from 'vitest';
import { createConcurrencyLimit } from './concurrency.ts';

const caller = (ownKey: string) => ({ accessKey: null, openaiKey: null, ownKey });

test('limits the requests of one caller, and lets another in', () => {
  const admission = createConcurrencyLimit({ maxConcurrent: 0, maxConcurrentPerCaller: 2 });
  const leave = admission.enter(caller('a'));
  admission.enter(caller('a'));
  expect(() => admission.enter(caller('a'))).toThrow(
    expect.objectContaining({ status: 429, headers: { 'retry-after': '1' } }),
  );
  admission.enter(caller('b'));
  leave();
  leave();
  admission.enter(caller('a'));
  expect(() => admission.enter(caller('a'))).toThrow('MAX_CONCURRENT_PER_CALLER');
});

test('limits the requests of all callers together', () => {
  const admission = createConcurrencyLimit({ maxConcurrent: 2, maxConcurrentPerCaller: 0 });
  const leave = admission.enter(caller('a'));
  admission.enter(caller('b'));
  expect(() => admission.enter(caller('c'))).toThrow(expect.objectContaining({ status: 503 }));
  leave();
  admission.enter(caller('c'));
});

test('without limits nothing is counted', () => {
  const admission = createConcurrencyLimit({ maxConcurrent: 0, maxConcurrentPerCaller: 0 });
  for (let i = 0; i < 1000; i++) admission.enter(caller('a'));
});
