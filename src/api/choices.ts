import type { Finish, UrlCitation } from '../openai/chunks.ts';
import { createLimit, type LimitOptions } from '../openai/limit.ts';
import type { AnswerPart } from '../segments/answer.ts';

/** What a choice of a completion says next. */
export type ChoicePart =
  | {
      readonly kind: 'piece';
      readonly content: string;
      readonly reasoning: string;
      readonly annotations: readonly UrlCitation[];
    }
  | { readonly kind: 'finish'; readonly reason: Finish }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null };

/** An answer as a choice: cut at stop sequences and at the last token, its sources as the API has them. */
export async function* choiceOf(
  answer: AsyncIterable<AnswerPart>,
  options: LimitOptions,
): AsyncGenerator<ChoicePart> {
  const limit = createLimit(options);
  for await (const part of answer) {
    if (part.kind === 'error') return yield part;
    if (part.kind === 'finish') {
      const rest = limit.end();
      if (rest.text !== '') yield { kind: 'piece', content: rest.text, reasoning: '', annotations: [] };
      return yield { kind: 'finish', reason: rest.ended ?? part.reason };
    }
    const { text, ended } = limit.push(part.content);
    const annotations = part.annotations.map(
      ({ start, end, title, url }): UrlCitation => ({
        type: 'url_citation',
        url_citation: { start_index: start, end_index: end, title, url },
      }),
    );
    if (text !== '' || part.reasoning !== '' || annotations.length > 0)
      yield { kind: 'piece', content: text, reasoning: part.reasoning, annotations };
    // Leaving the loop tells the upstream that nobody reads any more.
    if (ended) return yield { kind: 'finish', reason: ended };
  }
}

/** Parts of several choices as they come, each with its choice's index. Leaving it leaves them all. */
export async function* merged(
  choices: readonly AsyncGenerator<ChoicePart>[],
): AsyncGenerator<readonly [number, ChoicePart]> {
  const next = (index: number, choice: AsyncGenerator<ChoicePart>) =>
    choice.next().then((result) => ({ index, choice, result }));
  const waiting = new Map(choices.map((choice, index) => [index, next(index, choice)]));
  try {
    while (waiting.size > 0) {
      const { index, choice, result } = await Promise.race(waiting.values());
      if (result.done) waiting.delete(index);
      else {
        yield [index, result.value];
        waiting.set(index, next(index, choice));
      }
    }
  } finally {
    for (const choice of choices) void choice.return(undefined).catch(() => {});
  }
}

/** The same parts no faster than one in `ms` milliseconds, long pieces cut into short ones: for clients that show text as it comes. */
export async function* paced(choice: AsyncGenerator<ChoicePart>, ms: number): AsyncGenerator<ChoicePart> {
  for await (const part of choice) {
    if (part.kind !== 'piece') {
      yield part;
      continue;
    }
    const pieces = part.content.match(/[\s\S]{1,16}/gu) ?? [''];
    for (const [i, content] of pieces.entries()) {
      yield i === 0 ? { ...part, content } : { kind: 'piece', content, reasoning: '', annotations: [] };
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }
}
