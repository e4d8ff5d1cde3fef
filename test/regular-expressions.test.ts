import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSync } from 'recheck';
import { parseAst } from 'vite';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['src', 'web/src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.(test|d)\.tsx?$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort(),
);

/** Expressions that are not linear and never see a stranger's text: file, source, reason. */
const exceptions: readonly (readonly [file: string, source: string, reason: string])[] = [
  ['src/cli/doctor.ts', '\\/+$', 'the address on the command line'],
  ['src/upstreams/create.ts', '\\/+$', 'an address of the settings'],
  ['src/platform/node/logger.ts', '[^\\n]*\\n', 'lines of the log, which end in a line feed'],
  [
    'web/src/play/request.tsx',
    '(data:[\\w/]+;base64,.{20})[\\w+/=]+',
    "the user's own request, shown on the page",
  ],
];

type Expression = { readonly file: string; readonly source: string; readonly flags: string };
type Node = { readonly type?: string; readonly [key: string]: unknown };

/** Every regular expression of a file, and the arguments of `split` among them. */
function expressionsOf(file: string): { all: Expression[]; split: string[]; made: number } {
  const all: Expression[] = [];
  const split: string[] = [];
  let made = 0;
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) return value.forEach(visit);
    const node = value as Node;
    const regex = node.regex as { pattern: string; flags: string } | undefined;
    if (node.type === 'Literal' && regex) all.push({ file, source: regex.pattern, flags: regex.flags });
    const callee = node.callee as Node | undefined;
    if (callee?.name === 'RegExp') made++;
    if (node.type === 'CallExpression' && (callee?.property as Node | undefined)?.name === 'split') {
      const [separator] = node.arguments as Node[];
      const pattern = (separator?.regex as { pattern: string } | undefined)?.pattern;
      if (pattern !== undefined) split.push(pattern);
    }
    for (const [name, child] of Object.entries(node)) if (name !== 'value') visit(child);
  };
  visit(parseAst(readFileSync(join(root, file), 'utf8'), { lang: file.endsWith('x') ? 'tsx' : 'ts' }).body);
  return { all, split, made };
}

/** Whether an expression repeats nothing without limit: then it is linear, and need not be analysed. */
const isBounded = (source: string) => !/[*+]|\{\d+,\}/.test(source.replace(/\\./g, ''));

const found = files.map((file) => ({ file, ...expressionsOf(file) }));
const unbounded = [
  ...new Map(
    found
      .flatMap(({ all }) => all)
      .filter(({ source }) => !isBounded(source))
      .map((expression) => [`${expression.source}/${expression.flags}`, expression]),
  ).values(),
];

describe('every regular expression takes linear time', () => {
  test('there are some', () => expect(unbounded.length).toBeGreaterThan(50));

  test.each(unbounded)('$file: /$source/$flags', { timeout: 60_000 }, ({ file, source, flags }) => {
    if (exceptions.some(([where, what]) => where === file && what === source)) return;
    const { status } = checkSync(source, flags, { timeout: 20_000, randomSeed: 1 });
    expect(status).toBe('safe');
  });

  test('an expression of each kind that is not linear would be found', () => {
    for (const source of ['\\s*,\\s*', '[._-]+$', '(\\w+)-\\1', '^(a+)+$'])
      expect(checkSync(source, '', { randomSeed: 1 }).status).toBe('vulnerable');
  });

  test('no lookbehind repeats without limit: it runs again at every character', () => {
    const repeating = unbounded.filter(({ source }) => /\(\?<[=!][^)]*[*+]/.test(source));
    expect(repeating).toEqual([]);
  });

  test('none is made from a string', () => {
    expect(found.filter(({ made }) => made > 0).map(({ file }) => file)).toEqual([]);
  });

  test('none that splits a text begins or ends with blanks', () => {
    const wide = found.flatMap(({ file, split }) =>
      split.filter((source) => /^\\s[*+]|\\s[*+]$/.test(source)).map((source) => `${file}: ${source}`),
    );
    expect(wide).toEqual([]);
  });

  test('every exception is still needed', () => {
    const all = found.flatMap((each) => each.all);
    const stale = exceptions.filter(
      ([file, source]) => !all.some((each) => each.file === file && each.source === source),
    );
    expect(stale).toEqual([]);
  });
});
