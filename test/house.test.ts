import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('.d.ts'))
  .map((name) => `src/${name}`)
  .sort();
const text = (file: string) => readFileSync(join(root, file), 'utf8');

/** What a file imports of ours, as paths from the root, and of others, as they are written. */
function imports(file: string): string[] {
  const found = text(file).matchAll(/(?:from\s+|import\s+|import\()'([^']+)'/g);
  return [...found].map(([, path]) =>
    path?.startsWith('.') ? relative(root, join(root, dirname(file), path)) : (path ?? ''),
  );
}

const nouns = [
  'src/call.ts',
  'src/reply.ts',
  'src/http/failure.ts',
  'src/http/request.ts',
  'src/http/json-body.ts',
  'src/http/request-target.ts',
  'src/observe/redact.ts',
  'src/streams/read-all.ts',
  'src/streams/with-timeout.ts',
  'src/streams/idle-timer.ts',
  'src/streams/sleep.ts',
  'src/streams/read-chunks.ts',
];
const entries = ['src/main.ts', 'src/node.ts', 'src/worker.ts'];

/** Who may import what of ours: a folder, and the beginnings of the paths it may name. Longer folders come first. */
const rooms: readonly (readonly [string, readonly string[]])[] = [
  ['src/relay/', ['src/relay/']],
  ['src/openai/', ['src/openai/']],
  ['src/segments/', ['src/segments/']],
  ['src/emulator/', ['src/emulator/', 'src/openai/']],
  // The browser's page runs it too.
  ['src/doctor/', ['src/doctor/', 'src/openai/sse.ts']],
  ['src/settings/', ['src/settings/', 'src/http/failure.ts']],
  ['src/files/', ['src/files/', 'src/access/credentials.ts', 'src/platform/', ...nouns]],
  ['src/access/', ['src/access/', 'src/relay/', ...nouns]],
  [
    'src/upstreams/',
    [
      'src/upstreams/',
      'src/access/',
      'src/relay/',
      'src/openai/',
      'src/segments/',
      'src/files/',
      'src/settings/schema.ts',
      'src/settings/gpts.ts',
      'src/ports/platform.ts',
      'src/ports/typed-cache.ts',
      'src/platform/fetch/relay.ts',
      'src/ports/hash.ts',
      'src/observe/record.ts',
      ...nouns,
    ],
  ],
  [
    'src/pages/',
    [
      'src/pages/',
      'src/ports/built-files.ts',
      'src/http/public-url.ts',
      'src/relay/',
      'src/routes.ts',
      'src/upstreams/',
      ...nouns,
    ],
  ],
  [
    'src/api/',
    [
      'src/api/',
      'src/upstreams/',
      'src/access/',
      'src/openai/',
      'src/segments/',
      'src/relay/',
      'src/files/',
      'src/routes.ts',
      'src/settings/schema.ts',
      'src/ports/platform.ts',
      'src/ports/typed-cache.ts',
      'src/ports/blobs.ts',
      'src/platform/fetch/relay.ts',
      'src/ports/hash.ts',
      'src/observe/record.ts',
      ...nouns,
    ],
  ],
  [
    'src/platform/node/',
    ['src/platform/', 'src/relay/', 'src/openai/', 'src/settings/', 'src/files/', 'src/gateway.ts', ...nouns],
  ],
  ['src/platform/workers/', ['src/platform/', 'src/relay/', 'src/files/', 'src/emulator/', ...nouns]],
  ['src/platform/', ['src/platform/', 'src/relay/', ...nouns]],
  ['src/cli/', ['src/cli/', 'src/settings/', 'src/doctor/', 'src/platform/node/', 'src/node.ts']],
];

describe('the rooms of the house', () => {
  test.each(files)('%s imports only what its room may', (file) => {
    const room = rooms.find(([folder]) => file.startsWith(folder));
    const ours = imports(file).filter((path) => path.startsWith('src/') || path === 'package.json');
    const forbidden = room ? ours.filter((path) => !room[1].some((may) => path.startsWith(may))) : [];
    expect(forbidden, `${room?.[0]} may import ${room?.[1].join(', ')}`).toEqual([]);
  });

  test('platforms do not know each other', () => {
    for (const file of files) {
      for (const path of imports(file)) {
        if (file.startsWith('src/platform/node/')) expect(path).not.toMatch(/platform\/workers|^cloudflare:/);
        else if (file.startsWith('src/platform/workers/') || file === 'src/worker.ts')
          expect(path).not.toMatch(/platform\/node|^node:/);
        else if (!entries.includes(file) && !file.startsWith('src/cli/'))
          expect(path, file).not.toMatch(/^(node|cloudflare):|platform\/(node|workers)/);
      }
    }
  });

  test('nothing goes round in circles', () => {
    const open = new Set<string>();
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      expect([...open].includes(file) ? [...path, file] : [], 'a circle of imports').toEqual([]);
      if (done.has(file)) return;
      open.add(file);
      for (const next of valueImports(file)) visit(next, [...path, file]);
      open.delete(file);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });
});

/** Imports that exist at run time: types are gone by then. */
function valueImports(file: string): string[] {
  const source = text(file)
    .replace(/import type [^;]+;/g, '')
    .replace(/export type \{[^;]+;/g, '');
  return [...source.matchAll(/(?:from\s+|import\s+)'(\.[^']+)'/g)]
    .map(([, path]) => relative(root, join(root, dirname(file), path ?? '')))
    .filter((path) => files.includes(path));
}

describe('the tail', () => {
  /** Files that have a reason to be longer, and the reason. */
  const reasons: Readonly<Record<string, string>> = {
    'src/settings/schema.ts': 'a table: every setting, declared once',
    'src/emulator/backend/script.ts': 'a table: every turn the emulator can play',
    'src/platform/node/relay/transfer.ts': 'one request’s whole life on the hot path, in one class',
  };

  test.each(files)('%s is at most 250 lines long, or has a reason', (file) => {
    if (!reasons[file]) expect(text(file).split('\n').length).toBeLessThanOrEqual(251);
  });

  test('no name says nothing', () => {
    expect(
      files.filter((file) => /\/(utils?|helpers?|common|misc|manager|index|shared)(\.|\/)/.test(file)),
    ).toEqual([]);
  });
});

test('ARCHITECTURE.md names files and folders that are there', () => {
  const named = [
    ...text('ARCHITECTURE.md').matchAll(/`((?:src|test|bench|docs|bin|scripts)\/[\w./-]+)`/g),
  ].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThan(10);
  const there = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => !name.startsWith('node_modules'),
  );
  for (const path of named) expect(there, path).toContain(path.replace(/\/$/, ''));
});
