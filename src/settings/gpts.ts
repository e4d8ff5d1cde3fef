import type { SettingsFile } from './file.ts';
import { readJsonObject } from './json.ts';

export type Gpts = Readonly<Record<string, { readonly id: string }>>;

/**
 * Model names that a backend-api upstream serves without any setting. A GPT of the same name would
 * silently take the place of that model.
 */
export const backendModelNames: readonly string[] = [
  'gpt-4',
  'gpt-4-0613',
  'gpt-4-s',
  'gpt-4-vision-preview',
  'gpt-4-32k',
  'gpt-4-mobile',
  'dall-e-3',
  'gpt-image-1',
  'auto',
  'gpt-3.5-turbo',
  'gpt-4o',
  'gpt-4o-mini',
  'o1-preview',
  'o1-mini',
];

/** Reads a `gpts.json`: a GPT id for each model name, as `{"my-gpt": {"id": "g-abc"}}`. */
export function readGpts(file: SettingsFile): { readonly gpts: Gpts; readonly errors: readonly string[] } {
  const json = readJsonObject(file, '{"my-gpt": {"id": "g-abc"}}');
  if (!json.ok) return { gpts: {}, errors: json.errors };
  const gpts: Record<string, { id: string }> = {};
  const errors: string[] = [];
  for (const [name, entry] of Object.entries(json.value)) {
    const id = typeof entry === 'string' ? entry : (entry as { id?: unknown } | null)?.id;
    if (typeof id === 'string' && /^g-[\w-]+$/.test(id)) gpts[name] = { id };
    else errors.push(`${file.name}: ${name}.id must be the id of a GPT, as g-abc123.`);
  }
  return { gpts, errors };
}
