import { parseTree } from 'jsonc-parser';
import { readEnvironment } from './environment.ts';
import { readCompose } from './import-compose.ts';
import { keepKnown, secretsByName, withoutPlaceholders } from './import-names.ts';
import type { Environment, Found, Tree } from './import-types.ts';
import { readWrangler } from './import-wrangler.ts';
import { fromLegacy, isLegacy } from './legacy.ts';
import { describeSettings } from './schema.ts';

/** The files of an older project as settings of ours. */
export type Imported = {
  readonly values: Readonly<Record<string, unknown>>;
  /** The files that were read. */
  readonly from: readonly string[];
  /** What the owner should know. */
  readonly notes: readonly string[];
  /** Steps to deploy to the same Worker again; null if it was none. */
  readonly worker: string | null;
};

/**
 * Files of an older project's folder that are read, in this order. Of each list the first that
 * exists.
 */
export const legacyFiles: readonly (readonly string[])[] = [
  ['data/config.json', 'config.json'],
  ['gpts.json', 'data/gpts.json'],
  ['docker-compose.yml', 'docker-compose.yaml', 'compose.yaml'],
  ['wrangler.toml', 'wrangler.toml.example'],
  ['.env', '.dev.vars'],
  ['cf_worker.js'],
];

/** Parsers of formats that only this command needs. */
export type Parsers = { readonly toml: (text: string) => unknown; readonly yaml: (text: string) => unknown };

/** Makes settings of an older project's files, by their names. Null if none of them is known. */
export function importLegacyFiles(files: ReadonlyMap<string, string>, parsers: Parsers): Imported | null {
  const values: Record<string, unknown> = {};
  const from: string[] = [];
  const notes: string[] = [];
  const environment: Environment = {};
  let worker: string | null = null;
  for (const [name, text] of files) {
    const found = readers[name.split('/').at(-1) ?? '']?.(text, name, parsers, notes);
    if (!found) continue;
    from.push(name);
    Object.assign(values, found.values);
    Object.assign(environment, found.environment);
    worker = found.worker ?? worker;
  }
  if (from.length === 0) return null;
  const settings = readEnvironment(withoutPlaceholders(environment, notes)).values;
  for (const [key, value] of Object.entries(settings))
    values[key] = key === 'upstreams' ? { ...(values[key] as Tree), ...(value as Tree) } : value;
  if ('gpts' in values || 'keyForGptsInfo' in values)
    notes.push(
      'Actions of GPTs: the older gateway approved them always. Here a GPT asks first, unless you set "alwaysAllowActions": true.',
    );
  return { values, from, notes, worker };
}

type Reader = (text: string, name: string, parsers: Parsers, notes: string[]) => Found | null;

const compose: Reader = (text, name, { yaml }, notes) => readCompose(yaml(text), name, notes, keepKnown);
const wrangler: Reader = (text, name, { toml }, notes) => readWrangler(toml(text), name, notes, keepKnown);
const dotenv: Reader = (text, name, _, notes) => ({
  environment: secretsByName(keepKnown(parseDotenv(text), name, notes), name, notes),
});

const readers: Readonly<Record<string, Reader>> = {
  'config.json': (text, name, _, notes) => {
    const old = json(text);
    if (!old || !isLegacy(old)) return null;
    const { values, warnings, errors } = fromLegacy(old, name);
    notes.push(...errors, ...warnings);
    return { values };
  },
  'gpts.json': (text, name, _, notes) => {
    const gpts = json(text);
    if (!gpts) return null;
    const count = Object.keys(gpts).length;
    notes.push(`${name}: ${count} ${count === 1 ? 'GPT is' : 'GPTs are'} copied.`);
    return { values: { gpts } };
  },
  'docker-compose.yml': compose,
  'docker-compose.yaml': compose,
  'compose.yaml': compose,
  'wrangler.toml': wrangler,
  'wrangler.toml.example': wrangler,
  '.env': dotenv,
  '.dev.vars': dotenv,
  'cf_worker.js': (text, name, _, notes) => {
    const url = /=\s*['"`](https?:\/\/[^'"`\s]{1,2000})['"`]/.exec(text)?.[1];
    if (!url) return null;
    notes.push(
      `${name}: callers use their own keys, as before. With OPENAI_API_KEY and ACCESS_KEYS your key stays on the server.`,
    );
    return {
      environment: { OPENAI_BASE_URL: url },
      worker:
        'To stay on Cloudflare Workers: run "npm install" and "npm run build" in the sluice folder, then paste dist/sluice.worker.js over the script in the dashboard.',
    };
  },
};

function json(text: string): Tree | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : null;
  } catch {
    return null;
  }
}

function parseDotenv(text: string): Environment {
  const out: Environment = {};
  for (const line of text.split('\n')) {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line);
    if (match?.[1] === undefined) continue;
    out[match[1]] = (match[2] ?? '').trim().replace(/^(['"])(.*)\1$/, '$2');
  }
  return out;
}

/** Settings as a file with a comment on each. */
export function withComments({ values, from }: Pick<Imported, 'values' | 'from'>): string {
  const docs = new Map(describeSettings().map(({ key, docs: text }) => [key, text]));
  const entries = Object.entries(values).map(([key, value]) => {
    const about = docs.get(key);
    const lines = JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
    return `${about ? `  // ${about}\n` : ''}  ${JSON.stringify(key)}: ${lines}`;
  });
  const text = `// Made by "sluice import" from ${from.join(', ')}. Every setting is in docs/settings.md.\n{\n${entries.join(',\n')}\n}\n`;
  if (!parseTree(text)) throw new Error('the settings could not be written down');
  return text;
}
