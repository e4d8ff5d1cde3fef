import { describe, expect, test } from 'vitest';
import { createChunkLines } from '../openai/chunks.ts';
import type { AnswerPart } from '../segments/answer.ts';
import { type ChoicePart, choiceOf } from './choices.ts';

const source = (start: number, end: number) => ({ start, end, title: 'T', url: 'https://a.example/' });
const piece = (content: string, annotations: ReturnType<typeof source>[] = []): AnswerPart => ({
  kind: 'piece',
  content,
  reasoning: '',
  annotations,
});

async function* answer(): AsyncGenerator<AnswerPart> {
  yield piece('One [1]', [source(4, 7)]);
  yield piece(' two [2]', [source(12, 15)]);
  yield piece(' three.');
  yield { kind: 'finish', reason: 'stop' };
}

async function choice(stop: readonly string[] = []): Promise<ChoicePart[]> {
  const parts: ChoicePart[] = [];
  const options = { stop, maxTokens: null, countTokens: (text: string) => text.length };
  for await (const part of choiceOf(answer(), options)) parts.push(part);
  return parts;
}

/** The chunks' deltas, as a client gets them. */
function deltasOf(parts: readonly ChoicePart[]): Record<string, unknown>[] {
  const lines = createChunkLines({ id: 'c', created: 1, model: 'm' }, false);
  const text = parts.map((part) => {
    if (part.kind === 'finish') return lines.finish(0, part.reason);
    if (part.kind === 'error') return '';
    const content = part.content === '' ? '' : lines.content(0, part.content);
    return content + (part.annotations.length > 0 ? lines.annotations(0, part.annotations) : '');
  });
  const data = text
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('data: '));
  return data.map((line) => JSON.parse(line.slice(6)).choices[0].delta);
}

/**
 * The rule of openai-python's accumulator (`lib/streaming/_deltas.py`): texts are joined, and a list
 * that comes a second time must hold objects with an `index`; otherwise it raises.
 */
function accumulate(deltas: readonly Record<string, unknown>[]): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const delta of deltas)
    for (const [key, value] of Object.entries(delta)) {
      const known = message[key];
      if (known === undefined) message[key] = value;
      else if (typeof known === 'string' && typeof value === 'string') message[key] = known + value;
      else if (Array.isArray(known) && Array.isArray(value))
        for (const item of value as { index?: unknown }[]) {
          if (typeof item.index !== 'number')
            throw new Error('Expected list delta entry to have an index key');
          known[item.index] = item;
        }
    }
  return message;
}

describe('the sources of an answer', () => {
  test('come in one list, in the last delta before the finish, with their places', async () => {
    const deltas = deltasOf(await choice());
    const last = deltas.at(-2) as {
      annotations: { url_citation: { start_index: number; end_index: number } }[];
    };
    expect(deltas.filter(({ annotations }) => annotations)).toEqual([last]);
    const message = accumulate(deltas);
    const places = last.annotations.map(({ url_citation: { start_index: start, end_index: end } }) =>
      (message.content as string).slice(start, end),
    );
    expect(places).toEqual(['[1]', '[2]']);
  });

  test('that stand beyond a cut are left out', async () => {
    const parts = await choice([' two']);
    const message = accumulate(deltasOf(parts));
    expect(message.content).toBe('One [1]');
    expect(message.annotations).toHaveLength(1);
    expect(parts.at(-1)).toEqual({ kind: 'finish', reason: 'stop' });
  });
});
