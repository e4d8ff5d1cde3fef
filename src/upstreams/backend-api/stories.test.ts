import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentsOf, written } from '../../../test/convert.ts';
import { encode } from '../../emulator/backend/encode.ts';
import { scriptFor, stories } from '../../emulator/backend/script.ts';
import { markdownStyle } from '../../segments/style.ts';
import { createTurnReader } from './turn.ts';

function streamOf(said: string, encoding: 'v0' | 'v1'): string {
  let count = 0;
  return [
    ...encode(
      { ...scriptFor(said), encoding },
      { conversationId: 'c', model: 'gpt-4', newId: () => `m${++count}` },
    ),
  ].join('');
}

function read(stream: string, sizes: readonly number[]) {
  const reader = createTurnReader();
  const { content, reasoning } = written(segmentsOf(stream, sizes, reader), markdownStyle);
  return { content, reasoning, outcome: reader.state.outcome };
}

const long =
  'A long answer in 中文 and 🌊, with `code`, "quotes" and \\ slashes, over several\nlines, (brackets] and 【 alone.';

describe.each([...stories.map((name) => `/${name} 2`), long])('the story %s', (said) => {
  test('reads the same in both encodings, where both can tell it', () => {
    const [cumulative, deltas] = [
      read(streamOf(said, 'v0'), [1 << 20]),
      read(streamOf(said, 'v1'), [1 << 20]),
    ];
    expect(deltas.content).toBe(cumulative.content);
    expect(deltas.reasoning).toBe(cumulative.reasoning);
  });

  test.each(['v0', 'v1'] as const)('reads the same however it is cut (%s)', (encoding) => {
    const stream = streamOf(said, encoding);
    const whole = read(stream, [1 << 20]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        expect(read(stream, sizes)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
    expect(read(stream, [1])).toEqual(whole);
  });

  test('leaves no debris and no open fence', () => {
    const { content } = read(streamOf(said, 'v1'), [50]);
    expect(content).not.toMatch(/[\uE200-\uE2FF]|†|sandbox:/);
    expect((content.match(/^```/gm) ?? []).length % 2).toBe(0);
  });
});
