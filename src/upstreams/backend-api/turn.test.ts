import { describe, expect, test } from 'vitest';
import { lastSegments } from './end-turn.ts';
import { createTurnReader } from './turn.ts';

const encode = (text: string) => new TextEncoder().encode(text);

function outcomeOf(pieces: readonly string[]) {
  const reader = createTurnReader();
  const segments = pieces.flatMap((piece) => reader.push(encode(piece)));
  segments.push(...reader.end(), ...lastSegments(reader, null));
  return {
    outcome: reader.state.outcome,
    errors: segments.flatMap((segment) => (segment.kind === 'error' ? [segment.message] : [])),
  };
}

describe('a body that is no stream', () => {
  test('is an error in its own words', () => {
    expect(outcomeOf(['{"detail":', '{"message":"Not today."}}'])).toEqual({
      outcome: 'failed',
      errors: ['Not today.'],
    });
  });

  test('is not what a stream looks like that is cut before a bracket', () => {
    const [first, ...rest] = [
      'event: delta_encoding\ndata: "v1"\n\n',
      'data: ',
      '{"type":"unknown"',
      ',"x":1',
    ];
    expect(outcomeOf([first ?? '', ...rest])).toMatchObject({
      outcome: 'broken',
      errors: [expect.stringContaining('broke off')],
    });
  });
});
