import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  bannedWords,
  circularFiles,
  circularRooms,
  commentWidth,
  entries,
  everythingButPlatform,
  fileBudget,
  functionBudget,
  importExceptions,
  longFiles,
  longFunctions,
  mayImport,
  plainFolders,
  roomOf,
} from './house-rules.ts';
import { circles, readSource, root, type Source, sourceFiles } from './source.ts';

const sources = sourceFiles('src').map(readSource);
const others = ['web/src', 'bench', 'scripts'].flatMap(sourceFiles).map(readSource);
const names = new Set(sources.map(({ file }) => file));
const ours = ({ imports }: Source) => imports.filter((path) => path.startsWith('src/'));

describe('the rooms', () => {
  const allowed = (from: string, to: string): boolean => {
    if (from === to || entries.includes(from)) return true;
    if (everythingButPlatform.includes(from)) return !to.startsWith('platform/');
    return mayImport[from]?.includes(to) ?? false;
  };
  const forbidden = sources.flatMap((source) =>
    ours(source)
      .filter((path) => !allowed(roomOf(source.file), roomOf(path)))
      .map((path) => ({ edge: `${roomOf(source.file)} → ${roomOf(path)}`, file: source.file, path })),
  );

  test('each room has a row in the table', () => {
    const known = [...Object.keys(mayImport), ...everythingButPlatform, ...entries];
    expect(
      [...new Set(sources.map(({ file }) => roomOf(file)))].filter((room) => !known.includes(room)),
    ).toEqual([]);
  });

  test('a file imports only what its room may, types included', () => {
    const broken = forbidden.filter(({ edge }) => !importExceptions[edge]);
    expect(broken.map(({ file, path }) => `${file} imports ${path}`)).toEqual([]);
  });

  test('each exception is still needed', () => {
    const used = new Set(forbidden.map(({ edge }) => edge));
    expect(Object.keys(importExceptions).filter((edge) => !used.has(edge))).toEqual([]);
  });

  test('dialects know no upstream but its interface', () => {
    const broken = sources
      .filter(({ file }) => file.startsWith('src/dialects/'))
      .flatMap(({ file, imports }) => imports.map((path) => `${file} imports ${path}`))
      .filter((line) => / src\/upstreams\/(?!upstream\.ts)/.test(line));
    expect(broken).toEqual([]);
  });

  test('each runtime stays in its folder', () => {
    const mayUseNode = /^src\/(platform\/node|cli)\/|^src\/(main|node)\.ts$/;
    const mayUseWorkers = /^src\/platform\/workers\/|^src\/worker\.ts$/;
    const broken = sources.flatMap(({ file, imports }) =>
      imports
        .filter(
          (path) =>
            (/^node:|^src\/(platform\/node\/|node\.ts)/.test(path) && !mayUseNode.test(file)) ||
            (/^cloudflare:|^src\/(platform\/workers\/|worker\.ts)/.test(path) && !mayUseWorkers.test(file)),
        )
        .map((path) => `${file} imports ${path}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('no circles', () => {
  test('of files, types included', () => {
    const graph = new Map(
      sources.map((source) => [source.file, new Set(ours(source).filter((path) => names.has(path)))]),
    );
    expect(circles(graph).flat().sort()).toEqual(circularFiles);
  });

  test('of rooms', () => {
    const graph = new Map<string, Set<string>>();
    for (const source of sources) {
      const room = roomOf(source.file);
      const next = graph.get(room) ?? new Set();
      for (const path of ours(source)) if (roomOf(path) !== room) next.add(roomOf(path));
      graph.set(room, next);
    }
    expect(circles(graph).flat().sort()).toEqual(circularRooms);
  });
});

describe('size', () => {
  test(`a file has at most ${fileBudget} lines, or a reason`, () => {
    const long = sources.filter(({ lines }) => lines > fileBudget).map(({ file }) => file);
    expect(long).toEqual(
      Object.keys(longFiles)
        .filter((file) => long.includes(file))
        .sort(),
    );
    expect(Object.keys(longFiles).filter((file) => !long.includes(file))).toEqual([]);
  });

  test(`a function has at most ${functionBudget} lines, or a reason`, () => {
    const long = sources.flatMap(({ file, functions }) =>
      functions
        .filter(({ lines }) => lines > functionBudget)
        .map(({ name, lines }) => ({ key: `${file} ${name}`, lines })),
    );
    expect(long.filter(({ key }) => !longFunctions[key])).toEqual([]);
    const keys = long.map(({ key }) => key);
    expect(Object.keys(longFunctions).filter((key) => !keys.includes(key))).toEqual([]);
  });
});

describe('plain language', () => {
  const inFolder = (folder: string) => (fault: string) => fault.startsWith(`${folder}/`);
  const everything = [...sources, ...others];
  const wide = everything.flatMap(({ file, commentLines }) =>
    commentLines
      .filter(({ text }) => text.trimEnd().length > commentWidth)
      .map(({ line, text }) => `${file}:${line} has ${text.length} characters`),
  );
  const words = everything.flatMap(({ file, commentLines, strings }) =>
    [...commentLines, ...strings].flatMap(({ line, text }) => {
      const match = bannedWords.exec(text);
      return match ? [`${file}:${line} says "${match[0]}"`] : [];
    }),
  );
  const kept = (faults: readonly string[]) =>
    plainFolders.flatMap((folder) => faults.filter(inFolder(folder)));

  test(`a comment line has at most ${commentWidth} characters`, () => {
    expect(kept(wide)).toEqual([]);
  });

  test('comments and strings use no word of the list', () => {
    expect(kept(words)).toEqual([]);
  });

  afterAll(() => {
    const folders = ['src', 'web/src', 'bench', 'scripts'].filter((folder) => !plainFolders.includes(folder));
    for (const folder of folders) {
      const counts = [wide, words].map((faults) => faults.filter(inFolder(folder)).length);
      console.log(
        `${folder}: ${counts[0]} comment lines over ${commentWidth} characters, ${counts[1]} listed words`,
      );
    }
  });
});

test('no file name is empty of meaning', () => {
  const vague = /\/(utils?|helpers?|common|misc|manager|index|shared)(\.|\/)/;
  expect([...names].filter((file) => vague.test(file))).toEqual([]);
});

test('ARCHITECTURE.md names files and folders that exist', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const named = [...text.matchAll(/`((?:src|test|bench|docs|bin|scripts)\/[\w./-]+)`/g)].map(
    ([, path = '']) => path.replace(/\/$/, ''),
  );
  expect(named.length).toBeGreaterThan(10);
  const existing = new Set(
    ['src', 'test', 'bench', 'docs', 'bin', 'scripts'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (name) => `${folder}/${name}`,
      ),
    ),
  );
  expect(named.filter((path) => !existing.has(path))).toEqual([]);
});
