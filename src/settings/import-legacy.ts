import { parseTree } from 'jsonc-parser';
import { readEnvironment } from './environment.ts';
import { fromLegacy, isLegacy } from './legacy.ts';
import { describeSettings } from './schema.ts';

/** What was found of an older project, as settings of ours, and what the reader should know of the move. */
export type Moved = {
  readonly values: Readonly<Record<string, unknown>>;
  /** The files it was made from. */
  readonly from: readonly string[];
  readonly notes: readonly string[];
};

/** Names of files in the older project's folder that are looked at, in this order; of those in one list, the first that is there. */
export const lookedAt: readonly (readonly string[])[] = [
  ['data/config.json', 'config.json'],
  ['gpts.json', 'data/gpts.json'],
  ['docker-compose.yml', 'docker-compose.yaml', 'compose.yaml'],
  ['wrangler.toml', 'wrangler.toml.example'],
  ['.env', '.dev.vars'],
  ['cf_worker.js'],
];

type Tree = Readonly<Record<string, unknown>>;
type Environment = Record<string, string>;

/** How each kind of file is taken apart; the formats' own parsers are given, since only the command needs them. */
export type Parsers = { readonly toml: (text: string) => unknown; readonly yaml: (text: string) => unknown };

/** Secrets are not copied from one file into another: the settings name where they stand. */
const secretNames = new Set(['OPENAI_API_KEY', 'ACCESS_KEYS', 'KEY_FOR_GPTS_INFO']);

/** Makes settings of an older project's files, by their names. Null where there is nothing that any of them had. */
export function importLegacyFiles(files: ReadonlyMap<string, string>, parsers: Parsers): Moved | null {
  const values: Record<string, unknown> = {};
  const from: string[] = [];
  const notes: string[] = [];
  const environment: Environment = {};
  for (const [name, text] of files) {
    const kind = name.split('/').at(-1) ?? '';
    const found = understood[kind]?.(text, name, parsers, notes);
    if (!found) continue;
    from.push(name);
    Object.assign(values, found.values);
    Object.assign(environment, found.environment);
  }
  if (from.length === 0) return null;
  for (const [name, value] of Object.entries(environment)) {
    if (!/^<.*>$|your[-_]/i.test(value)) continue;
    delete environment[name];
    notes.push(`${name}: ${value} stands for a value of yours. Set it.`);
  }
  const settings = readEnvironment(environment).values;
  for (const [key, value] of Object.entries(settings))
    values[key] = key === 'upstreams' ? { ...(values[key] as Tree), ...(value as Tree) } : value;
  return { values, from, notes };
}

type Found = { readonly values?: Tree; readonly environment?: Environment };
type Understand = (text: string, name: string, parsers: Parsers, notes: string[]) => Found | null;

const compose: Understand = (text, name, { yaml }, notes) => {
  const { services } = (yaml(text) ?? {}) as { services?: Record<string, Tree> };
  const environment: Environment = {};
  let port: number | undefined;
  for (const service of Object.values(services ?? {})) {
    const found = known(environmentOf(service.environment), name, notes);
    Object.assign(environment, found);
    const published = /^(?:[\d.]+:)?(\d+):33333$/.exec(
      String((service.ports as unknown[] | undefined)?.[0] ?? ''),
    )?.[1];
    if (published) port = Number(published);
  }
  if (port === undefined && Object.keys(environment).length === 0) return null;
  if (port !== undefined) notes.push(`${name}: the port that clients use, ${port}, is kept.`);
  return { environment, values: port === undefined ? {} : { port, host: '0.0.0.0' } };
};

const wrangler: Understand = (text, name, { toml }, notes) => {
  const { vars, r2_buckets: buckets } = toml(text) as {
    vars?: Tree;
    r2_buckets?: readonly { binding?: string }[];
  };
  for (const { binding } of buckets ?? [])
    notes.push(
      binding === 'R2buket' || binding === 'BLOBS'
        ? `${name}: the R2 binding ${binding} is understood as it is. Keep it in wrangler.jsonc.`
        : `${name}: bind the R2 bucket as BLOBS; ${binding} is not known here.`,
    );
  const environment = known(
    Object.fromEntries(Object.entries(vars ?? {}).map(([key, value]) => [key, String(value)])),
    name,
    notes,
  );
  if (/OPENAI_API_KEY/.test(text) && environment.OPENAI_API_KEY === undefined)
    notes.push(
      `${name}: the secret OPENAI_API_KEY is not in it. Set it here too: wrangler secret put OPENAI_API_KEY, or the environment.`,
    );
  return { environment };
};

const understood: Readonly<Record<string, Understand>> = {
  'config.json': (text, name, _, notes) => {
    const old = json(text);
    if (!old || !isLegacy(old)) return null;
    const { values, warnings } = fromLegacy(old, name);
    notes.push(...warnings);
    return { values };
  },
  'gpts.json': (text, name, _, notes) => {
    const gpts = json(text);
    if (!gpts) return null;
    notes.push(`${name}: ${Object.keys(gpts).length} GPTs are taken over.`);
    return { values: { gpts } };
  },
  'docker-compose.yml': compose,
  'docker-compose.yaml': compose,
  'compose.yaml': compose,
  'wrangler.toml': wrangler,
  'wrangler.toml.example': wrangler,
  '.env': (text, name, _, notes) => ({
    environment: secretsByName(known(dotenv(text), name, notes), name, notes),
  }),
  '.dev.vars': (text, name, _, notes) => ({
    environment: secretsByName(known(dotenv(text), name, notes), name, notes),
  }),
  'cf_worker.js': (text, name, _, notes) => {
    const url = /=\s*['"`](https?:\/\/[^'"`]+)['"`]/.exec(text)?.[1];
    if (!url) return null;
    notes.push(
      `${name}: callers bring their own keys, as before. OPENAI_API_KEY and ACCESS_KEYS would keep yours on the server.`,
    );
    return { environment: { OPENAI_BASE_URL: url } };
  },
};

function json(text: string): Tree | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Tree) : null;
  } catch {
    return null;
  }
}

/** Compose writes an environment as a list of `NAME=value`, or as a map. */
function environmentOf(environment: unknown): Environment {
  const entries = Array.isArray(environment)
    ? environment.map((line) => /^([^=]+)=(.*)$/s.exec(String(line))?.slice(1) ?? [String(line), ''])
    : Object.entries((environment ?? {}) as Tree);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value ?? '')]));
}

function dotenv(text: string): Environment {
  const lines = text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, value]) => [name, (value ?? '').replace(/^(['"])(.*)\1$/, '$2')]),
  );
}

const upstreamNames = ['OPENAI_BASE_URL', 'OPENAI_API_KEY', 'BASE_URL', 'PROXY_API_PREFIX'];

/** The names that mean something here, with a value; the reader is told of the others. */
function known(environment: Environment, file: string, notes: string[]): Environment {
  const names = new Set([
    ...upstreamNames,
    ...describeSettings().flatMap(({ env, olderEnv = [] }) => [env, ...olderEnv]),
  ]);
  const out: Environment = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === '') continue;
    if (names.has(name)) out[name] = value;
    else notes.push(`${file}: ${name}: means nothing here and is left out.`);
  }
  return out;
}

function secretsByName(environment: Environment, file: string, notes: string[]): Environment {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      if (!secretNames.has(name)) return [name, value];
      notes.push(
        `${file}: ${name}: the settings name it, and its value stays where it is. It must be in the gateway's environment.`,
      );
      return [name, `env:${name}`];
    }),
  );
}

/** Settings as a file that says what each is for. */
export function withComments({ values, from }: Moved): string {
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
