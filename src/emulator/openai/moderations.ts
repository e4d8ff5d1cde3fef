import type { Asked } from '../emulator.ts';
import { readObject } from './errors.ts';

const categories = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'];

/** `POST /v1/moderations`: flags texts that ask to be flagged. */
export async function moderations({ request, id }: Asked): Promise<Response> {
  const body = await readObject(request);
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  const results = inputs.map((input) => {
    const flagged = /\bflag me\b/i.test(typeof input === 'string' ? input : JSON.stringify(input ?? ''));
    return {
      flagged,
      categories: Object.fromEntries(categories.map((name) => [name, flagged && name === 'violence'])),
      category_scores: Object.fromEntries(
        categories.map((name) => [name, flagged && name === 'violence' ? 0.99 : 0.01]),
      ),
    };
  });
  return Response.json({ id: `modr-${id}`, model: body.model ?? 'omni-moderation-latest', results });
}
