import { readFileSync, writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import { describeSettings, settingsSchema } from '../src/settings/schema.ts';
import { anyUpstream } from '../src/settings/upstream-schema.ts';

/** Files that are made from the declaration of the settings, by their path from the root. */
export function generated(): Readonly<Record<string, string>> {
  return { 'sluice.schema.json': jsonSchema(), 'docs/settings.md': docs() };
}

function jsonSchema(): string {
  const schema = toJsonSchema(settingsSchema, { errorMode: 'ignore', typeMode: 'input' });
  const properties = schema.properties as Record<string, Record<string, unknown>>;
  for (const { key, docs, form } of describeSettings()) {
    const property = properties[key] ?? {};
    const relaxed = form === 'bytes' ? { anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }] } : {};
    if (form === 'bytes') delete property.type;
    properties[key] = { description: docs, ...property, ...relaxed };
  }
  return `${JSON.stringify({ ...schema, title: 'sluice settings' }, null, 2)}\n`;
}

function docs(): string {
  const rows = describeSettings().map(({ key, env, olderEnv = [], docs, default: value }) => {
    const shown =
      value === undefined || value === ''
        ? ''
        : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
    return `| \`${key}\` | ${[...(env ? [env] : []), ...olderEnv].map((name) => `\`${name}\``).join(', ')} | ${shown} | ${docs.replaceAll('|', '\\|')} |`;
  });
  return `# Settings

Everything can be said in one file, \`./sluice.json\` or the one that \`SLUICE_CONFIG\` names, or in the environment, which goes first.
The file is JSON with comments and trailing commas; its JSON Schema is \`sluice.schema.json\`. \`"env:NAME"\` in it stands for a value of the
environment. \`sluice check\` explains a configuration. This page is made from the settings' declaration by \`npm run generate\`.

| key in the file | environment | default | what it is for |
|--|--|--|--|
${rows.join('\n')}

## Upstreams

| environment | what it does |
|--|--|
| \`OPENAI_BASE_URL\` | makes the upstream \`openai\`, with or without a trailing \`/v1\` (default \`https://api.openai.com/v1\` once a key is set) |
| \`OPENAI_API_KEY\` | its server-side key; without one the caller's own key is passed on |
| \`BASE_URL\`, \`PROXY_API_PREFIX\` | make the upstream \`backend\`, which speaks \`backend-api\`, and its path prefix: see [the conversion](conversion.md) |

In the file, several may be named:

\`\`\`jsonc
{
  "upstreams": {
    "openai": { "kind": "openai", "url": "https://api.openai.com/v1", "key": "env:OPENAI_API_KEY" },
    "local": { "kind": "openai", "url": "http://127.0.0.1:11434/v1", "key": "none", "models": ["llama*", "qwen*"] }
  },
  // A name of your own for a model of one of them.
  "models": { "fast": { "upstream": "openai", "model": "gpt-4o-mini" } },
  "accessKeys": ["env:TEAM_KEY"]
}
\`\`\`

An explicit entry under \`models\` wins, then an upstream whose \`models\` fit, then the first that takes any model. A request
that names no model in a JSON body (an upload, say) goes to that first one. Several may serve a model, in order or by weight: see
[what happens when something fails](reliability.md#several-upstreams).

| field of an upstream | what it is for |
|--|--|
${upstreamRows()}
`;
}

/** The fields that any upstream may have, from their declaration. */
function upstreamRows(): string {
  return Object.entries(anyUpstream)
    .map(([name, schema]) => `| \`${name}\` | ${(v.getMetadata(schema) as { docs?: string }).docs ?? ''} |`)
    .join('\n');
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
