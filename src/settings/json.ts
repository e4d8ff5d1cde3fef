import { type Node, type ParseError, parse, parseTree, printParseErrorCode } from 'jsonc-parser';

export type ReadJson =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly errors: readonly string[] };

/** How deep objects and lists of a settings file may be nested. No setting needs more. */
const maxDepth = 32;

/**
 * Reads a file that holds one JSON object, with comments and trailing commas. An error is one line
 * with the file, the place and the fix. A key that stands twice is an error too: JSON would
 * silently use the last one.
 */
export function readJsonObject(file: { name: string; text: string }, example: string): ReadJson {
  const text = file.text.replace(/^\uFEFF/, '');
  const problems: ParseError[] = [];
  const value: unknown = parse(text, problems, { allowTrailingComma: true });
  const first = problems[0];
  if (first) {
    const reason = printParseErrorCode(first.error);
    const at = positionOf(text, first.offset);
    return { ok: false, errors: [`${file.name}:${at}: not valid JSON (${reason}). Correct the file there.`] };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, errors: [`${file.name}: must hold one JSON object, as in ${example}.`] };
  const tree = parseTree(text, [], { allowTrailingComma: true });
  const errors = tree ? duplicateKeys(tree, '', text, 0).map((line) => `${file.name}${line}`) : [];
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: value as Record<string, unknown> };
}

function duplicateKeys(node: Node, path: string, text: string, depth: number): string[] {
  const children = node.children ?? [];
  if (depth > maxDepth)
    return [`: ${path} is nested too deeply. No setting needs more than ${maxDepth} levels.`];
  if (node.type === 'array')
    return children.flatMap((child, i) => duplicateKeys(child, `${path}[${i}]`, text, depth + 1));
  if (node.type !== 'object') return [];
  const seen = new Map<string, number>();
  return children.flatMap((property) => {
    const [key, value] = property.children ?? [];
    if (!key || !value) return [];
    const name = String(key.value);
    const full = path === '' ? name : `${path}.${name}`;
    const earlier = seen.get(name);
    seen.set(name, key.offset);
    const deeper = duplicateKeys(value, full, text, depth + 1);
    if (earlier === undefined) return deeper;
    const lines = `lines ${lineOf(text, earlier)} and ${lineOf(text, key.offset)}`;
    return [`: ${full} is there twice (${lines}). Keep one of them.`, ...deeper];
  });
}

function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
