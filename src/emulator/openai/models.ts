import type { Asked } from '../emulator.ts';
import { apiError } from './errors.ts';

const names = [
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-3.5-turbo',
  'o1-mini',
  'text-embedding-3-small',
  'dall-e-3',
  'tts-1',
  'whisper-1',
];

/** When the models are said to be made: 2023-11-14, a second apart. */
const firstCreated = 1_700_000_000;

const models = names.map((id, i) => ({
  id,
  object: 'model',
  created: firstCreated + i,
  owned_by: 'sluice-emulator',
}));

export function listModels(): Response {
  return Response.json({ object: 'list', data: models });
}

export function retrieveModel({ url }: Asked): Response {
  const id = decodeURIComponent(url.pathname.slice('/v1/models/'.length));
  const model = models.find((candidate) => candidate.id === id);
  return model
    ? Response.json(model)
    : apiError(404, `The model '${id.slice(0, 100)}' does not exist.`, {
        code: 'model_not_found',
        param: 'model',
      });
}
