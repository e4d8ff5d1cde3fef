import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** A function with its size. Anonymous functions have the name "anonymous". */
export type SourceFunction = { readonly name: string; readonly line: number; readonly lines: number };

/** A piece of text with the line that it starts on. */
export type SourceText = { readonly line: number; readonly text: string };

/** What the rules of the house need to know of one source file. */
export type Source = {
  readonly file: string;
  readonly lines: number;
  /** Imported modules, types included. Files of this repository are paths from the root. */
  readonly imports: readonly string[];
  /** Each line of each comment, as it stands in the file. */
  readonly commentLines: readonly SourceText[];
  /** String literals, template pieces and JSX text, without module names. */
  readonly strings: readonly SourceText[];
  readonly functions: readonly SourceFunction[];
};

type Node = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

const moduleNodes = new Set([
  'ImportDeclaration',
  'ExportAllDeclaration',
  'ExportNamedDeclaration',
  'ImportExpression',
  'TSImportType',
]);
const functionNodes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Source files below a folder of the repository, without tests and declarations. */
export function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !/\.test\.tsx?$|\.d\.ts$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

/** Parses one file. */
export function readSource(file: string): Source {
  const code = readFileSync(join(root, file), 'utf8');
  const { program, comments, errors } = parseSync(join(root, file), code);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const lineAt = lineIndex(code);
  const allLines = code.split('\n');
  const imports: string[] = [];
  const strings: SourceText[] = [];
  const functions: SourceFunction[] = [];

  const visit = (node: Node, parent: Node | null): void => {
    const source = moduleNodes.has(node.type) ? ((node.source ?? node.argument) as Node | null) : null;
    if (source && typeof source.value === 'string') imports.push(importPath(file, source.value));
    const text = textOf(node);
    if (text !== undefined) strings.push({ line: lineAt(node.start), text });
    if (functionNodes.has(node.type)) {
      const line = lineAt(node.start);
      functions.push({ name: functionName(node, parent), line, lines: lineAt(node.end) - line + 1 });
    }
    for (const [key, value] of Object.entries(node)) {
      if (value === source && key !== 'body') continue;
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, node);
    }
  };
  visit(program as unknown as Node, null);

  const commentLines = comments.flatMap(({ start, end }) => {
    const first = lineAt(start);
    return allLines.slice(first - 1, lineAt(end)).map((text, i) => ({ line: first + i, text }));
  });
  return { file, lines: allLines.length - 1, imports, commentLines, strings, functions };
}

function textOf(node: Node): string | undefined {
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type === 'TemplateElement') return (node.value as { raw: string }).raw;
  if (node.type === 'JSXText') return node.value as string;
  return undefined;
}

function functionName(node: Node, parent: Node | null): string {
  const named = (node.id ?? parent?.id ?? parent?.key) as { name?: string } | null | undefined;
  return named?.name ?? 'anonymous';
}

function importPath(file: string, name: string): string {
  return name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name;
}

/** Gives the line of an offset, from 1, by binary search. */
function lineIndex(code: string): (offset: number) => number {
  const starts = [0];
  for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return high;
  };
}

/** The circles of a graph: groups of names that reach each other (Tarjan's algorithm). */
export function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (name: string): void => {
    order.set(name, order.size);
    low.set(name, order.get(name) ?? 0);
    stack.push(name);
    for (const next of graph.get(name) ?? []) {
      if (!order.has(next)) {
        visit(next);
        low.set(name, Math.min(low.get(name) ?? 0, low.get(next) ?? 0));
      } else if (stack.includes(next)) low.set(name, Math.min(low.get(name) ?? 0, order.get(next) ?? 0));
    }
    if (low.get(name) !== order.get(name)) return;
    const group = stack.splice(stack.indexOf(name)).sort();
    if (group.length > 1 || graph.get(name)?.has(name)) found.push(group);
  };
  for (const name of graph.keys()) if (!order.has(name)) visit(name);
  return found.sort((a, b) => (a[0] ?? '').localeCompare(b[0] ?? ''));
}
