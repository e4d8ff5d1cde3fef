import type { Asked } from '../emulator.ts';
import { apiError, isText, readObject, required } from './errors.ts';

const rate = 8000;

/** `POST /v1/audio/speech`: a tone, longer for longer texts, always as WAV. */
export async function speech({ request }: Asked): Promise<Response> {
  const body = await readObject(request);
  required(body, 'model', isText);
  const input = required(body, 'input', isText);
  return new Response(tone(Math.min(input.length * 0.02, 10)), { headers: { 'content-type': 'audio/wav' } });
}

/** `POST /v1/audio/transcriptions`: a text with the size of the upload. */
export async function transcription({ request }: Asked): Promise<Response> {
  const form = await request.formData().catch(() => {
    throw apiError(400, 'The body must be multipart/form-data.');
  });
  const file = form.get('file');
  if (file === null || typeof file === 'string')
    return apiError(400, "Missing required parameter: 'file'.", { param: 'file' });
  const text = `I heard ${file.size} bytes of ${file.name}.`;
  return form.get('response_format') === 'text' ? new Response(text) : Response.json({ text });
}

/** A sine of 440 Hz as 16-bit mono WAV. */
function tone(seconds: number): Uint8Array<ArrayBuffer> {
  const samples = Math.floor(seconds * rate);
  const bytes = new Uint8Array(44 + samples * 2);
  const view = new DataView(bytes.buffer);
  const text = (offset: number, letters: string) => bytes.set(new TextEncoder().encode(letters), offset);
  text(0, 'RIFF');
  view.setUint32(4, 36 + samples * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples * 2, true);
  for (let i = 0; i < samples; i++)
    view.setInt16(44 + i * 2, Math.sin((2 * Math.PI * 440 * i) / rate) * 8000, true);
  return bytes;
}
