import type { Asked } from '../emulator.ts';
import { isText, readObject, required } from './errors.ts';
import { answerTo, piecesOf, tokensOf } from './said.ts';
import { dataLine, eventStream } from './stream.ts';

/** `POST /v1/completions`, the older endpoint with a prompt. */
export async function completions({ request, pace, id, created }: Asked): Promise<Response> {
  const body = await readObject(request);
  const model = required(body, 'model', isText);
  const prompt = String(Array.isArray(body.prompt) ? (body.prompt[0] ?? '') : (body.prompt ?? ''));
  const text = answerTo({ text: prompt, pictures: 0, afterTool: null });
  const head = {
    id: `cmpl-${id}`,
    object: 'text_completion',
    created,
    model,
  };
  const choice = (piece: string, finish: string | null) => ({
    text: piece,
    index: 0,
    logprobs: null,
    finish_reason: finish,
  });
  if (body.stream === true) {
    const lines = piecesOf(text).map((piece) => dataLine({ ...head, choices: [choice(piece, null)] }));
    return eventStream(
      [...lines, dataLine({ ...head, choices: [choice('', 'stop')] }), 'data: [DONE]\n\n'],
      pace,
    );
  }
  const usage = {
    prompt_tokens: tokensOf(prompt),
    completion_tokens: tokensOf(text),
    total_tokens: tokensOf(prompt) + tokensOf(text),
  };
  return Response.json({ ...head, choices: [choice(text, 'stop')], usage });
}
