import { expect, test } from 'vitest';
import type { AnswerPart } from '../segments/answer.ts';
import { jsonAnswerWriter } from './json-answer.ts';

function read(pieces: readonly string[], isStrict: boolean): AnswerPart[] {
  const left: AnswerPart[] = [
    ...pieces.map((content) => ({ kind: 'piece' as const, content, reasoning: '', annotations: [] })),
    { kind: 'finish', reason: 'stop' },
  ];
  const writer = { push: () => {}, take: () => left.shift() ?? null, pending: () => null };
  const answer = jsonAnswerWriter(writer, { instruction: '', isStrict });
  const parts: AnswerPart[] = [];
  for (let part = answer.take(); part; part = answer.take()) parts.push(part);
  return parts;
}

const text = (parts: readonly AnswerPart[]) =>
  parts.map((part) => (part.kind === 'piece' ? part.content : '')).join('');

test('a fence around JSON is taken away', () => {
  const parts = read(['```json\n{"a"', ':1}\n', '```'], true);
  expect(text(parts)).toBe('{"a":1}');
  expect(parts.at(-1)).toEqual({ kind: 'finish', reason: 'stop' });
});

test('what is no JSON is an error if a strict schema was asked for, and passes otherwise', () => {
  expect(read(['Sure: {}'], true).at(-1)).toMatchObject({ kind: 'error' });
  expect(read(['Sure: {}'], false).at(-1)).toEqual({ kind: 'finish', reason: 'stop' });
});
