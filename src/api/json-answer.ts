import { createFenceRemover, isJson, type JsonFormat } from '../openai/json-format.ts';
import type { AnswerPart, AnswerWriter } from '../segments/answer.ts';
import type { Style } from '../segments/style.ts';

/** The style of an answer for a program: nothing but the text. */
export function jsonStyle(style: Style): Style {
  return { ...style, toolOutput: false, citations: false, images: 'none' };
}

/**
 * Writes an answer that must be JSON: without a fence around it. If a strict schema was asked for
 * and the answer is no JSON, it ends in an error.
 */
export function jsonAnswerWriter(writer: AnswerWriter, { isStrict }: JsonFormat): AnswerWriter {
  const fence = createFenceRemover();
  let whole = '';
  let last: AnswerPart | null = null;

  const endOf = (part: Extract<AnswerPart, { kind: 'finish' }>): AnswerPart =>
    isStrict && part.reason === 'stop' && !isJson(whole)
      ? {
          kind: 'error',
          message: 'The model did not answer with valid JSON. Ask again.',
          code: 'upstream_error',
        }
      : part;

  return {
    push: (batch) => writer.push(batch),
    pending: () => writer.pending(),
    take() {
      const end = last;
      last = null;
      if (end) return end;
      const part = writer.take();
      if (part === null || part.kind === 'error') return part;
      const content = part.kind === 'piece' ? fence.push(part.content) : fence.end();
      whole += content;
      if (part.kind === 'piece') return { ...part, content, annotations: [] };
      if (content === '') return endOf(part);
      last = endOf(part);
      return { kind: 'piece', content, reasoning: '', annotations: [] };
    },
  };
}
