import { afterEach, expect, test, vi } from 'vitest';
import { createIdleTimer } from './idle-timer.ts';

afterEach(() => vi.useRealTimers());

test('a timer that is not ended keeps no timer once nothing is waited for', () => {
  vi.useFakeTimers();
  const late = vi.fn();
  const watch = createIdleTimer(10, late);
  expect(vi.getTimerCount()).toBe(0);
  watch.start();
  watch.stop();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(30_000);
  expect(vi.getTimerCount()).toBe(0);
  watch.start();
  vi.advanceTimersByTime(9_999);
  expect(late).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(late).toHaveBeenCalledOnce();
});
