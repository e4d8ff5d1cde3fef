import type { Asked } from '../emulator.ts';
import { apiError, isText, readObject, required } from './errors.ts';
import { tokensOf } from './said.ts';

/** `POST /v1/embeddings`: vectors of length 1 that depend on the text only, as floats or base64. */
export async function embeddings({ request }: Asked): Promise<Response> {
  const body = await readObject(request);
  const model = required(body, 'model', isText);
  const inputs = (
    Array.isArray(body.input) && typeof body.input[0] !== 'number' ? body.input : [body.input]
  ) as unknown[];
  if (inputs.length === 0 || inputs.some((input) => input === undefined || input === '')) {
    return apiError(400, "'input' must not be empty.", { param: 'input' });
  }
  const size = typeof body.dimensions === 'number' ? body.dimensions : 256;
  if (!Number.isInteger(size) || size < 1 || size > 4096)
    return apiError(400, "'dimensions' must be from 1 to 4096.", { param: 'dimensions' });
  const texts = inputs.map((input) => (typeof input === 'string' ? input : JSON.stringify(input)));
  const data = texts.map((text, index) => {
    const vector = vectorOf(text, size);
    return {
      object: 'embedding',
      index,
      embedding: body.encoding_format === 'base64' ? base64(vector) : [...vector],
    };
  });
  const tokens = texts.reduce((sum, text) => sum + tokensOf(text), 0);
  return Response.json({
    object: 'list',
    data,
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

function vectorOf(text: string, size: number): Float32Array {
  let state = 2_166_136_261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16_777_619);
  const vector = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    state = Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393;
    vector[i] = (state >>> 0) / 2 ** 32 - 0.5;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

function base64(vector: Float32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(vector.buffer)));
}
