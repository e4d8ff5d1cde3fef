import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApi } from '../src/pages/openapi.ts';
import { loadSettings } from '../src/settings/load.ts';
import { type Running, startOnNode } from './gateways.ts';
import { schemaErrors } from './settings-schema.ts';

const pages = [
  'README.md',
  'README.zh-CN.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (file: string) => readFileSync(file, 'utf8');
const blocks = (file: string, ...languages: string[]) =>
  [...read(file).matchAll(/```(\w+)\n([\s\S]*?)```/g)].flatMap(([, language, text]) =>
    languages.includes(language ?? '') ? [text ?? ''] : [],
  );

/** Anchors as GitHub makes them of headings. */
const anchors = (file: string) =>
  [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  );

test.each(pages)('the links in %s lead somewhere', (file) => {
  for (const [, target = ''] of read(file)
    .replace(/```[\s\S]*?```|`[^`\n]*`/g, '')
    .matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(https?:|mailto:)/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const found = path === '' ? file : join(dirname(file), path);
    expect(existsSync(found), `${file} → ${target}`).toBe(true);
    if (anchor) expect(anchors(found), `${file} → ${target}`).toContain(anchor);
  }
});

/** Commands that are not run here, and what runs them instead: a file, and words in it. */
const elsewhere: readonly (readonly [RegExp, string, string])[] = [
  [
    /^npm install && npm start$/,
    'test/docker.long.test.ts',
    'the steps of the Dockerfile, in a clean folder',
  ],
  [/^npm it$/, '.ci/run', 'tests npm test'],
  [/^OPENAI_API_KEY=sk-\.\.\. npm start$/, 'test/start.test.ts', 'OPENAI_API_KEY:'],
  [/^npm (ci|install|test|start|run (check|dev|generate|format|test:long))$/, '.ci/run', 'npm run check'],
  [/^npm run (bench|bench:\w+|build)\b/, 'package.json', '"bench": "node bench/main.ts"'],
  [/^npx vitest /, 'package.json', '"test": "vitest run '],
  [/^UPDATE_BASELINE=1 /, 'test/baseline.test.ts', 'UPDATE_BASELINE'],
  [/^npx wrangler dev$/, 'test/places.long.test.ts', "wrangler, 'dev'"],
  [/^npx wrangler pages dev dist\/cloudflare-pages$/, 'test/places.long.test.ts', "'dist/cloudflare-pages'"],
  // They need an account; that the Worker can be deployed is checked without one.
  [
    /^npx wrangler (deploy|secret put \w+|pages deploy dist\/cloudflare-pages)$/,
    '.ci/run',
    'wrangler deploy --dry-run',
  ],
  // They need an engine; the Dockerfile's own steps are carried out without one.
  [/^docker compose /, 'test/docker.test.ts', 'the compose files name what exists'],
  [
    /^npm pack$|^npm install --global .\/sluice-[\d.]+\.tgz$|^sluice$/,
    'test/places.long.test.ts',
    "'pack', '--ignore-scripts'",
  ],
  [/^npx sluice import /, 'test/moving.long.test.ts', "sluice(['import'"],
];

describe('every command in the docs is run', () => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await startOnNode({});
  });
  afterAll(() => gateway.stop());

  const commands = [
    ...new Set(
      pages.flatMap((file) =>
        blocks(file, 'sh')
          .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
          .flatMap((line) => (line.startsWith('npm install && npm start') ? [line] : line.split(' && ')))
          .map((line) => line.replace(/\s+#.*$/, '').trim())
          .filter(Boolean),
      ),
    ),
  ];

  test.each(commands)(
    '%s',
    async (command) => {
      const known = elsewhere.find(([pattern]) => pattern.test(command));
      if (known) return expect(read(known[1])).toContain(known[2]);
      const here = command
        .replaceAll('http://127.0.0.1:8080', gateway.url)
        .replace(/^npx sluice/, `${process.execPath} bin/sluice.js`)
        .replace(' --idle', '');
      const child = spawn('sh', ['-c', here], { env: { PATH: process.env.PATH ?? '' } });
      let said = '';
      child.stdout.on('data', (data) => (said += data));
      child.stderr.on('data', (data) => (said += data));
      expect(await new Promise((resolve) => child.once('exit', resolve)), said).toBe(0);
    },
    30_000,
  );
});

test('the settings in the docs are right, and an editor with the JSON Schema agrees', () => {
  const env = Object.fromEntries(
    ['OPENAI_API_KEY', 'KEY_ONE', 'KEY_TWO', 'ROUTER_KEY', 'TEAM_KEY'].map((name) => [
      name,
      `sk-${name}-0123456789`,
    ]),
  );
  const all = pages.flatMap((file) => blocks(file, 'jsonc').map((text) => [file, text] as const));
  expect(all.length).toBeGreaterThan(2);
  for (const [file, text] of all) {
    // A part of a file needs the rest of one around it.
    if (!/^\s*(\/\/.*\n)?\{/.test(text)) continue;
    const loaded = loadSettings({ env, platform: 'node', file: { name: file, text } });
    expect(loaded.ok ? [] : loaded.errors, file).toEqual([]);
    expect(schemaErrors(text), file).toEqual([]);
  }
});

describe('the description of the surface', () => {
  test('is valid OpenAPI', async () => {
    expect(await new Validator().validate(structuredClone(openApi('http://127.0.0.1:8080')))).toMatchObject({
      valid: true,
    });
  });

  test('is served, names what the gateway answers, and nothing else', async () => {
    const gateway = await startOnNode({ METRICS_KEY: 'metrics-key-0123456789' });
    const described = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
      servers: { url: string }[];
      paths: Record<string, Record<string, unknown>>;
    };
    expect(described.servers).toEqual([{ url: gateway.url }]);
    for (const [path, methods] of Object.entries(described.paths)) {
      for (const method of Object.keys(methods).filter((name) => name !== 'parameters')) {
        const answer = await fetch(gateway.url + path.replace('{path}', 'models').replace('{name}', 'x'), {
          method: method.toUpperCase(),
        });
        await answer.body?.cancel();
        const { status } = answer;
        // 404 is what a stored file that is not there gets, and a path that the emulator has not.
        expect(
          [200, 204, 400, 401, 403, 404, 405].includes(status) && (path.includes('{') || status !== 404),
          `${method} ${path}: ${status}`,
        ).toBe(true);
      }
    }
    expect(await (await fetch(`${gateway.url}/llms.txt`)).text()).toContain(`${gateway.url}/v1`);
    await gateway.stop();
  });
});
