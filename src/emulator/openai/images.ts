import type { Asked } from '../emulator.ts';
import { picture } from '../png.ts';
import { apiError, demandedError, isText, readObject, required } from './errors.ts';

/** `POST /v1/images/generations`: pictures made from the prompt, as links or as base64. */
export async function generateImages(asked: Asked): Promise<Response> {
  const body = await readObject(asked.request);
  const prompt = required(body, 'prompt', isText);
  const demanded = demandedError(typeof body.model === 'string' ? body.model : null);
  if (demanded) return demanded;
  return pictures(
    prompt,
    Number(body.n ?? 1),
    body.response_format === 'b64_json' || isGptImage(body.model),
    asked,
  );
}

/** `POST /v1/images/edits` and `/variations`: the same, from a form with a picture. */
export async function editImage(asked: Asked): Promise<Response> {
  const form = await asked.request.formData().catch(() => {
    throw apiError(400, 'The body must be multipart/form-data.');
  });
  const image = form.get('image') ?? form.get('image[]');
  if (image === null || typeof image === 'string')
    return apiError(400, "Missing required parameter: 'image'.", { param: 'image' });
  const base64 = form.get('response_format') === 'b64_json' || isGptImage(form.get('model'));
  return pictures(
    `${form.get('prompt') ?? 'variation'} of ${image.size} bytes`,
    Number(form.get('n') ?? 1),
    base64,
    asked,
  );
}

/** The picture of a link. It is made from its name, which holds the prompt. */
export function servePicture({ url }: Asked): Response {
  const name = url.pathname.split('/').at(-1) ?? '';
  return new Response(picture(name), { headers: { 'content-type': 'image/png' } });
}

function pictures(prompt: string, count: number, base64: boolean, asked: Asked): Response {
  if (!Number.isInteger(count) || count < 1 || count > 10)
    return apiError(400, "'n' must be from 1 to 10.", { param: 'n' });
  const links = linksOf(asked);
  const data = Array.from({ length: count }, (_, i) => {
    const name = `${asked.id.slice(0, 12)}-${i}-${prompt.replace(/[^\w]+/g, '-').slice(0, 40)}.png`;
    const inline = base64 || links === 'data:';
    const bytes = inline ? toBase64(picture(name)) : '';
    const where = base64
      ? { b64_json: bytes }
      : { url: inline ? `data:image/png;base64,${bytes}` : `${links}/emulator/pictures/${name}` };
    return { ...where, revised_prompt: `A picture of: ${prompt}` };
  });
  return Response.json({ created: asked.created, data });
}

/**
 * The header by which a gateway says where its callers reach the emulator: an address, or `data:`
 * for nowhere.
 */
export const linksHeader = 'x-emulator-links';

/** The beginning of links to the emulator. The gateway's own header is the last one. */
function linksOf({ request, url }: Asked): string {
  return request.headers.get(linksHeader)?.split(',').at(-1)?.trim() || url.origin;
}

function isGptImage(model: unknown): boolean {
  return typeof model === 'string' && model.startsWith('gpt-image');
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
