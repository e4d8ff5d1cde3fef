import { distance } from 'fastest-levenshtein';
import type { BaseIssue } from 'valibot';
import { describeSettings, settingsSchema } from './schema.ts';

/**
 * One line with the place, the key, what is wrong and how to correct it. A value is shown only if
 * it cannot be a secret.
 */
export function explainIssue(
  issue: BaseIssue<unknown>,
  origins: Readonly<Record<string, string>>,
  file: string,
): string {
  const path = pathOf(issue.path ?? []);
  const place = originOf(issue.path ?? [], origins) ?? file;
  const key = place === file ? `${file}: ${path}` : place;
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  if (isUnknown) return `${key}: there is no such setting. ${suggestion(issue)}`;
  if (issue.type === 'strict_object' && issue.received === 'undefined') return `${key} is missing. Add it.`;
  const value = shown(issue, path);
  if (issue.type === 'literal') return `${key}${value} must be ${issue.expected}.`;
  const isCheck = issue.kind === 'validation' || issue.message.startsWith('must be ');
  const must = isCheck ? issue.message : `must be ${wordFor(issue.expected ?? '')}`;
  if (value !== '') return `${key}${value} ${must}.`;
  return isCheck ? `${key} ${must}.` : `${key} is ${wordFor(typeOf(issue.input))}, but ${must}.`;
}

/** ` is "value", but`, or nothing if the value may be a secret or says nothing. */
function shown({ input }: BaseIssue<unknown>, path: string): string {
  if (typeof input === 'number' || typeof input === 'boolean') return ` is ${input}, but`;
  if (typeof input !== 'string' || isSecret(path) || mayBeKey(input)) return '';
  return ` is ${JSON.stringify(input)}, but`;
}

const secretSettings = new Set(describeSettings().flatMap(({ key, secret }) => (secret ? [key] : [])));

function isSecret(path: string): boolean {
  const [first = ''] = path.split(/[.[]/, 1);
  return secretSettings.has(first) || /(^|\.)(keys?|accessKey|secretKey)(\[\d+\])?$/.test(path);
}

/**
 * Whether a text could be a key that was put into the wrong setting, an address with a password, or
 * too long to read.
 */
function mayBeKey(text: string): boolean {
  if (text.length > 80 || text.includes('@')) return true;
  return /(^|\W)(sk|fk|pk|rk|eyJ|Bearer)[-_. ]?\w/.test(text) || /[\w-]{24}/.test(text);
}

type Path = readonly { readonly key?: unknown }[];

function pathOf(items: Path): string {
  let path = '';
  for (const { key } of items)
    path += typeof key === 'number' ? `[${key}]` : `${path === '' ? '' : '.'}${String(key)}`;
  return path;
}

/** The environment name or file that set the value at a path, or above it. */
function originOf(items: Path, origins: Readonly<Record<string, string>>): string | undefined {
  for (let depth = items.length; depth > 0; depth--) {
    const path = pathOf(items.slice(0, depth));
    if (Object.hasOwn(origins, path)) return origins[path];
  }
  return undefined;
}

/**
 * Longer names are compared by their beginning: the comparison takes the product of both lengths.
 */
const maxName = 100;

function suggestion(issue: BaseIssue<unknown>): string {
  const written = String(issue.path?.at(-1)?.key ?? '').slice(0, maxName);
  const depth = issue.path?.length ?? 0;
  const known =
    depth === 1
      ? Object.keys(settingsSchema.entries)
      : ['kind', 'url', 'prefix', 'key', 'keys', 'models', 'upstream', 'model'];
  const nearest = known
    .map((name) => ({ name, away: distance(name.toLowerCase(), written.toLowerCase().replaceAll('_', '')) }))
    .sort((a, b) => a.away - b.away)[0];
  return nearest && nearest.away <= Math.min(3, written.length / 2)
    ? `Did you mean "${nearest.name}"?`
    : 'Remove it. sluice --help lists all settings.';
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
