import { readFileSync, writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { s3Names } from '../src/settings/environment-names.ts';
import { botMode, type Described, describeSettings, s3, settingsSchema } from '../src/settings/schema.ts';
import {
  anyUpstream,
  backendUpstream,
  modelChoice,
  openaiUpstream,
} from '../src/settings/upstream-schema.ts';

/** Files that are generated from the declaration of the settings, by their path from the root. */
export function generated(): Readonly<Record<string, string>> {
  return { 'sluice.schema.json': jsonSchema(), 'docs/settings.md': docs() };
}

type Json = Record<string, unknown>;

function jsonSchema(): string {
  const schema = toJsonSchema(settingsSchema, { errorMode: 'ignore', typeMode: 'input' });
  const properties = schema.properties as Record<string, Json>;
  for (const { key, form } of describeSettings()) {
    const property = properties[key] ?? {};
    if (form !== 'bytes') continue;
    delete property.type;
    property.anyOf = [{ type: 'integer', minimum: 0 }, { type: 'string' }];
  }
  const level = properties.logLevel as Json;
  delete level.type;
  level.anyOf = [{ enum: ['debug', 'info', 'warn', 'error'] }, { type: 'string' }];
  const kinds = (properties.upstreams as Json).additionalProperties as { oneOf: Json[] };
  for (const upstream of kinds.oneOf) describeUpstream(upstream);
  return `${JSON.stringify({ ...(described(schema) as Json), title: 'sluice settings' }, null, 2)}\n`;
}

/** A schema with its texts as `description`. Leaves out metadata that JSON Schema does not know. */
function described(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(described);
  if (typeof schema !== 'object' || schema === null) return schema;
  const {
    env: _env,
    olderEnv: _older,
    form: _form,
    secret: _secret,
    onlyOn: _only,
    docs,
    ...rest
  } = schema as Json;
  const isText = typeof docs === 'string';
  const entries = Object.entries(isText ? rest : { ...rest, ...(docs === undefined ? {} : { docs }) });
  return {
    ...(isText ? { description: docs } : {}),
    ...Object.fromEntries(entries.map(([key, value]) => [key, described(value)])),
  };
}

/** Adds what only a file may hold: a single `key`, and no `url` for the upstream "openai". */
function describeUpstream(upstream: Json): void {
  const properties = upstream.properties as Record<string, Json>;
  properties.key = { type: 'string', description: 'A single server-side key.' };
  if ((properties.kind as { const?: string }).const === 'openai')
    upstream.required = (upstream.required as string[]).filter((name) => name !== 'url');
}

/** The sections of the page, each with its settings in order. */
const sections: readonly (readonly [title: string, keys: readonly string[]])[] = [
  ['Listening', ['host', 'port', 'apiPrefix', 'publicUrl', 'workers', 'reusePort', 'drainTimeout']],
  ['Who may call', ['accessKeys', 'accessScopes', 'allowedOrigins', 'publicRelay', 'trustedProxies']],
  [
    'Upstreams and models',
    ['upstreams', 'models', 'modelsCacheSeconds', 'httpsProxy', 'httpProxy', 'noProxy'],
  ],
  [
    'Time and load',
    [
      'connectTimeout',
      'firstByteTimeout',
      'idleTimeout',
      'totalTimeout',
      'keepAlive',
      'keepAliveStyle',
      'watch',
      'retries',
      'maxConcurrent',
      'maxConcurrentPerCaller',
      'maxBodyBytes',
      'maxRelayBytes',
    ],
  ],
  [
    'Conversion of a backend-api upstream',
    [
      'gpts',
      'gptsFile',
      'keyForGptsInfo',
      'alwaysAllowActions',
      'hideConversations',
      'historyDisabled',
      'sendHints',
      'continueRounds',
      'imagePromptPrefix',
      'botMode',
      'nonStreamKeepAlive',
      'pace',
    ],
  ],
  [
    'Pictures, files and the cache',
    [
      'dataDir',
      's3',
      'r2Domain',
      'redisUrl',
      'upstreamLinks',
      'storedDays',
      'storedBytes',
      'uploadedBytes',
      'maxStoredBytes',
      'maxFileBytes',
      'fileFetchAllow',
    ],
  ],
  ['Log and metrics', ['logLevel', 'logClientAddress', 'metricsKey']],
];

function docs(): string {
  const settings = new Map(describeSettings().map((each) => [each.key, each]));
  const placed = new Set(sections.flatMap(([, keys]) => keys));
  const rest = [...settings.keys()].filter((key) => !placed.has(key));
  const all = rest.length > 0 ? [...sections, ['More', rest] as const] : sections;
  const tables = all.map(([title, keys]) => {
    const rows = keys.flatMap((key) => settings.get(key) ?? []).map(settingRow);
    return `## ${title}\n\n| environment | key in the file | default | what it does |\n|--|--|--|--|\n${rows.join('\n')}\n`;
  });
  return `${introduction}\n${tables.join('\n')}\n${upstreams()}`;
}

const introduction = `# Settings

Use environment variables, one JSON file, or both. The environment wins over the file.

\`\`\`sh
OPENAI_API_KEY=sk-... npm start
\`\`\`

The same as a file, \`sluice.json\` in the folder that the gateway starts in. This works on every system, Windows included:

\`\`\`jsonc
{
  // "env:NAME" reads a secret from the environment or from .env.
  "upstreams": { "openai": { "kind": "openai", "key": "env:OPENAI_API_KEY" } }
}
\`\`\`

- **Where the file is**: \`./sluice.json\`, or the path in \`SLUICE_CONFIG\`, or \`sluice --config FILE\`. It may have comments and trailing commas.
  Put \`"$schema": "./sluice.schema.json"\` into it, and your editor completes and checks the names.
- **\`.env\`**: on Node, a \`.env\` file beside the settings file is read too (\`NAME=value\` lines). A value that the process already has wins.
  Put a value with a \`#\` in quotes.
- **On Workers** there are no files: \`SLUICE_CONFIG\` may hold the JSON text itself, as a variable of the Worker.
- **To check**: \`sluice check\` shows what is set, where it comes from, and whether the upstreams and the storage can be reached.
- **To apply a change**: restart the gateway. Settings are read at start only.
- A wrong or unknown setting stops the start with one line that names it. A misspelt environment name is named in a warning.

A size is a number of bytes or a text such as \`32MiB\`. A list in the environment is separated by commas. This page is generated by
\`npm run generate\`.
`;

function settingRow({ key, env, olderEnv = [], docs: text, default: value }: Described): string {
  const shown =
    value === undefined || value === ''
      ? ''
      : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  const names = [...(env ? [env] : []), ...olderEnv].map((name) => `\`${name}\``).join(', ');
  return `| ${names} | \`${key}\` | ${shown} | ${text.replaceAll('|', '\\|')} |`;
}

function upstreams(): string {
  return `## Upstreams

These environment names define upstreams without a file:

| environment | what it does |
|--|--|
| \`OPENAI_BASE_URL\` | Defines the upstream \`openai\`: its base URL, with or without \`/v1\`. Default: \`https://api.openai.com/v1\` once a key is set. If the URL ends with \`#\`, it is used exactly as it is, without \`/v1\`. |
| \`OPENAI_API_KEY\` | Its server-side key, or several separated by commas. Without one, the key of the caller is sent. |
| \`BASE_URL\`, \`PROXY_API_PREFIX\` | Define the upstream \`backend\`, which has the \`backend-api\` of the ChatGPT web app: its address and its path prefix. See [the conversion](conversion.md). |
| \`BACKEND_API_KEY\` | Its server-side key, or several separated by commas. Without one, the key of the caller is sent. |

In a file you can define as many as you like:

\`\`\`jsonc
{
  "upstreams": {
    "openai": { "kind": "openai", "url": "https://api.openai.com/v1", "key": "env:OPENAI_API_KEY" },
    "local": { "kind": "openai", "url": "http://127.0.0.1:11434/v1", "key": "none", "models": ["llama*", "qwen*"] }
  },
  // Your own name for a model of one of them.
  "models": { "fast": { "upstream": "openai", "model": "gpt-4o-mini" } },
  "accessKeys": ["env:TEAM_KEY"]
}
\`\`\`

Which upstream serves a model: an entry under \`models\`; else an upstream whose \`models\` list has it; else the first upstream that
serves any model. A request without a model in a JSON body (an upload, for example) goes to that last one. Several upstreams can serve one model, in order
or by weight: see [reliability](reliability.md#several-upstreams).

### Fields of an upstream with \`"kind": "openai"\`

${fieldTable({ ...openaiUpstream.entries })}

### Fields of an upstream with \`"kind": "backend-api"\`

${fieldTable({ ...backendUpstream.entries })}

### Fields of an entry under \`models\`

Either the two fields, or \`"upstreams"\`: a list of entries with these fields and a \`weight\`.

${fieldTable({ ...modelChoice, weight: weight })}

### Fields of \`s3\`

| environment | field | what it is |
|--|--|--|
${Object.entries(s3.entries)
  .map(([name, schema]) => {
    const names = (s3Names[name] ?? []).map((each) => `\`${each}\``).join(', ');
    return `| ${names} | \`${name}\` | ${docsOf(schema)} |`;
  })
  .join('\n')}

The \`AWS_*\` names complete a store that an \`S3_*\` name defines. They define none themselves.

### Fields of \`botMode\`

${fieldTable(botMode.entries)}
`;
}

const weight = v.pipe(
  v.number(),
  v.metadata({
    docs: 'Share of the requests. An upstream without a weight is only used when the others fail.',
  }),
);

/** A table of fields with their descriptions; the general fields of upstreams last. */
function fieldTable(entries: Readonly<Record<string, v.GenericSchema>>): string {
  const names = Object.keys(entries);
  const own = names.filter((name) => !(name in anyUpstream));
  const rows = [...own, ...names.filter((name) => name in anyUpstream)].map((name) => {
    const schema = entries[name] as v.GenericSchema;
    return `| \`${name}\` | ${name === 'kind' ? 'The kind of upstream.' : docsOf(schema)} |`;
  });
  return `| field | what it does |\n|--|--|\n${rows.join('\n')}`;
}

function docsOf(schema: v.GenericSchema): string {
  return ((v.getMetadata(schema) as { docs?: string }).docs ?? '').replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) {
  const root = new URL('..', import.meta.url);
  for (const [path, text] of Object.entries(generated())) {
    const file = new URL(path, root);
    const old = (() => {
      try {
        return readFileSync(file, 'utf8');
      } catch {
        return null;
      }
    })();
    if (old !== text) {
      writeFileSync(file, text);
      process.stdout.write(`wrote ${path}\n`);
    }
  }
}
