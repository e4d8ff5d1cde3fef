import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFairLimit } from './fair-limit.ts';

/** Work that runs until a test ends it. */
function tracked(options = { total: 16, perCaller: 4 }) {
  const limit = createFairLimit(options);
  const running: { caller: string | undefined; end(): void }[] = [];
  const start = (caller?: string): Promise<void> =>
    limit(
      () =>
        new Promise<void>((resolve) => {
          const entry = {
            caller,
            end: () => {
              running.splice(running.indexOf(entry), 1);
              resolve();
            },
          };
          running.push(entry);
        }),
      caller,
    );
  const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
  const countOf = (caller?: string) => running.filter((each) => each.caller === caller).length;
  return { limit, running, start, settled, countOf };
}

test('one caller gets 4 of 16 places, and does not hold up another', async () => {
  const { running, start, settled, countOf } = tracked();
  for (let i = 0; i < 64; i++) void start('greedy');
  await settled();
  expect(running).toHaveLength(4);
  void start('other');
  await settled();
  expect(countOf('other')).toBe(1);
});

test('no more than 16 run for any number of callers', async () => {
  const { running, start, settled } = tracked();
  for (let i = 0; i < 40; i++) void start(String(i));
  await settled();
  expect(running).toHaveLength(16);
});

test('work that fails gives its place back', async () => {
  const { limit } = tracked({ total: 1, perCaller: 1 });
  await expect(limit(() => Promise.reject(new Error('failed')), 'a')).rejects.toThrow('failed');
  expect(await limit(async () => 'ran', 'a')).toBe('ran');
});

test('all work runs in the end, within both limits, in any order of arrivals', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', 'b', 'c', undefined), { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      async (callers, total, perCaller) => {
        const { running, start, countOf } = tracked({ total, perCaller });
        const works = callers.map((caller) => start(caller));
        let ended = 0;
        while (ended < callers.length) {
          await Promise.resolve();
          expect(running.length).toBeLessThanOrEqual(total);
          for (const caller of ['a', 'b', 'c']) expect(countOf(caller)).toBeLessThanOrEqual(perCaller);
          const [first] = running;
          if (!first) continue;
          first.end();
          ended++;
        }
        await Promise.all(works);
        expect(running).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});
