import type { BaseIssue } from 'valibot';
import { settingsSchema } from './schema.ts';

/** One line that names the file or environment name, the key, the fault and the fix. It holds no value: a value can be secret. */
export function explainIssue(
  issue: BaseIssue<unknown>,
  origins: Readonly<Record<string, string>>,
  file: string,
): string {
  const path = pathOf(issue.path ?? []);
  const place = originOf(issue.path ?? [], origins) ?? file;
  const key = place === file ? `${file}: ${path}` : place;
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  if (unknown) return `${key}: there is no such setting. ${suggestion(issue)}`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `${key}: is missing. Add it.`;
  if (issue.type === 'literal') return `${key}: must be ${issue.expected}. Write that.`;
  if (issue.kind === 'validation' || issue.type === 'picklist')
    return `${key}: ${issue.message}. Correct it.`;
  return `${key}: is ${wordFor(typeOf(issue.input))}, but must be ${wordFor(issue.expected ?? '')}. Correct it.`;
}

type Path = readonly { readonly key?: unknown }[];

function pathOf(items: Path): string {
  let path = '';
  for (const { key } of items)
    path += typeof key === 'number' ? `[${key}]` : `${path === '' ? '' : '.'}${String(key)}`;
  return path;
}

/** The environment name that set the value at a path, or above it. */
function originOf(items: Path, origins: Readonly<Record<string, string>>): string | undefined {
  for (let depth = items.length; depth > 0; depth--) {
    const path = pathOf(items.slice(0, depth));
    if (Object.hasOwn(origins, path)) return origins[path];
  }
  return undefined;
}

/** Longer names are compared by their beginning: the comparison takes the product of both lengths. */
const maxName = 100;

function suggestion(issue: BaseIssue<unknown>): string {
  const unknown = String(issue.path?.at(-1)?.key ?? '').slice(0, maxName);
  const depth = issue.path?.length ?? 0;
  const known =
    depth === 1
      ? Object.keys(settingsSchema.entries)
      : ['kind', 'url', 'prefix', 'key', 'keys', 'models', 'upstream', 'model'];
  const near = known
    .map((name) => ({ name, away: distance(name.toLowerCase(), unknown.toLowerCase().replaceAll('_', '')) }))
    .sort((a, b) => a.away - b.away)[0];
  return near && near.away <= Math.min(3, unknown.length / 2)
    ? `Did you mean "${near.name}"?`
    : 'Remove it; sluice --help lists all settings.';
}

/** The number of letters to change to make one word of the other (Levenshtein distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'Array' : typeof value;
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'an object',
  object: 'an object',
  null: 'null',
};

function wordFor(type: string): string {
  return Object.hasOwn(words, type) ? (words[type] as string) : type;
}
