import { type ParseError, parse } from 'jsonc-parser';
import type { SettingsFile } from './file.ts';

export type Gpts = Readonly<Record<string, { readonly id: string }>>;

/** Reads a `gpts.json`: model names, each with the id of its GPT, as `{"my-gpt": {"id": "g-abc"}}`. */
export function readGpts(file: SettingsFile): { readonly gpts: Gpts; readonly errors: readonly string[] } {
  const problems: ParseError[] = [];
  const value: unknown = parse(file.text.replace(/^\uFEFF/, ''), problems, { allowTrailingComma: true });
  if (problems.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      gpts: {},
      errors: [`${file.name}: must hold one JSON object, as in {"my-gpt": {"id": "g-abc"}}.`],
    };
  }
  const gpts: Record<string, { id: string }> = {};
  const errors: string[] = [];
  for (const [name, entry] of Object.entries(value)) {
    const id = typeof entry === 'string' ? entry : (entry as { id?: unknown } | null)?.id;
    if (typeof id === 'string' && /^g-[\w-]+$/.test(id)) gpts[name] = { id };
    else errors.push(`${file.name}: ${name}.id: must be the id of a GPT, as g-... Correct it.`);
  }
  return { gpts, errors };
}
