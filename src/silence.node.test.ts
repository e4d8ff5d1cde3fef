import { afterEach, expect, test, vi } from 'vitest';
import { watchSilence } from './silence.ts';

afterEach(() => vi.useRealTimers());

test('a watch that nobody ends keeps no timer once nothing is waited for', () => {
  vi.useFakeTimers();
  const late = vi.fn();
  const watch = watchSilence(10, late);
  expect(vi.getTimerCount()).toBe(0);
  watch.wait();
  watch.heard();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(30_000);
  expect(vi.getTimerCount()).toBe(0);
  watch.wait();
  vi.advanceTimersByTime(9_999);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(late).toHaveBeenCalledOnce();
});
