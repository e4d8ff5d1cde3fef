import { describe, expect, test } from 'vitest';
import { createUpstreamHealth } from './health.ts';

function made(names = ['a', 'b']) {
  let time = 1_000_000;
  const upstreamHealth = createUpstreamHealth(names, () => time);
  return { upstreamHealth, pass: (ms: number) => void (time += ms) };
}
const fail = ({ upstreamHealth }: ReturnType<typeof made>, id: string, times = 5) => {
  for (let i = 0; i < times; i++) upstreamHealth.report({ id }, 'failed');
};
const order = ({ upstreamHealth }: ReturnType<typeof made>) =>
  upstreamHealth.order([{ id: 'a' }, { id: 'b' }]).map(({ id }) => id);

describe('a hop that fails', () => {
  test('is asked all the same, four times', () => {
    const kept = made();
    fail(kept, 'a', 4);
    expect(order(kept)).toEqual(['a', 'b']);
  });

  test('comes last after the fifth time, for five seconds, then for ten', () => {
    const kept = made();
    fail(kept, 'a');
    expect(order(kept)).toEqual(['b', 'a']);
    kept.pass(5001);
    expect(order(kept)).toEqual(['a', 'b']);
    fail(kept, 'a', 1);
    kept.pass(5001);
    expect(order(kept)).toEqual(['b', 'a']);
    kept.pass(5000);
    expect(order(kept)).toEqual(['a', 'b']);
  });

  test('never rests longer than a minute', () => {
    const kept = made();
    fail(kept, 'a', 100);
    kept.pass(60_001);
    expect(order(kept)).toEqual(['a', 'b']);
  });

  test('is forgiven by one success', () => {
    const kept = made();
    fail(kept, 'a', 4);
    kept.upstreamHealth.report({ id: 'a' }, 'ok');
    fail(kept, 'a', 4);
    expect(order(kept)).toEqual(['a', 'b']);
  });

  test('is never left out: where all rest, all are still asked', () => {
    const kept = made();
    fail(kept, 'a');
    fail(kept, 'b');
    expect(order(kept)).toEqual(['a', 'b']);
    expect(kept.upstreamHealth.isDown()).toBe(true);
  });
});

test('a hop that asks to be left alone is, for as long as it says', () => {
  const kept = made();
  kept.upstreamHealth.report({ id: 'a' }, { coolDownMs: 2000 });
  expect(order(kept)).toEqual(['b', 'a']);
  kept.pass(2001);
  expect(order(kept)).toEqual(['a', 'b']);
});

test('an upstream rests only when all of its keys do', () => {
  const kept = made(['a']);
  kept.upstreamHealth.report({ id: 'a#0' }, { coolDownMs: 2000 });
  kept.upstreamHealth.report({ id: 'a#1' }, 'ok');
  expect(kept.upstreamHealth.view()).toMatchObject([{ name: 'a', state: 'ok' }]);
  kept.upstreamHealth.report({ id: 'a#1' }, { coolDownMs: 2000 });
  expect(kept.upstreamHealth.view()).toMatchObject([{ name: 'a', state: 'cooling' }]);
  expect(kept.upstreamHealth.isDown()).toBe(true);
});

test('what was not asked yet is unknown, and not down', () => {
  const { upstreamHealth } = made();
  expect(upstreamHealth.view().map(({ state }) => state)).toEqual(['unknown', 'unknown']);
  expect(upstreamHealth.isDown()).toBe(false);
});
