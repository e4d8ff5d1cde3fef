import { expect, test } from 'vitest';
import type { AnswerPart } from '../segments/answer.ts';
import { jsonAnswer } from './json-answer.ts';

async function read(pieces: readonly string[], isStrict: boolean): Promise<AnswerPart[]> {
  async function* answer(): AsyncGenerator<AnswerPart> {
    for (const content of pieces) yield { kind: 'piece', content, reasoning: '', annotations: [] };
    yield { kind: 'finish', reason: 'stop' };
  }
  const parts: AnswerPart[] = [];
  for await (const part of jsonAnswer(answer(), { instruction: '', isStrict })) parts.push(part);
  return parts;
}

const text = (parts: readonly AnswerPart[]) =>
  parts.map((part) => (part.kind === 'piece' ? part.content : '')).join('');

test('a fence around JSON is taken away', async () => {
  const parts = await read(['```json\n{"a"', ':1}\n', '```'], true);
  expect(text(parts)).toBe('{"a":1}');
  expect(parts.at(-1)).toEqual({ kind: 'finish', reason: 'stop' });
});

test('what is no JSON is an error if a strict schema was asked for, and passes otherwise', async () => {
  expect((await read(['Sure: {}'], true)).at(-1)).toMatchObject({ kind: 'error' });
  expect((await read(['Sure: {}'], false)).at(-1)).toEqual({ kind: 'finish', reason: 'stop' });
});
