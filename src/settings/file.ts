import { type ParseError, parse, printParseErrorCode } from 'jsonc-parser';
import { type Environment, toBytes, toFlag } from './environment.ts';
import { describeSettings } from './schema.ts';

/** A settings file as it was found: its name, for messages, and its text. */
export type SettingsFile = { readonly name: string; readonly text: string };

export type Parsed = { readonly values: Record<string, unknown>; readonly errors: readonly string[] };

/** Reads a settings file: JSON with comments and trailing commas, `"env:NAME"` standing for a value of the environment. */
export function readFile(file: SettingsFile, env: Environment): Parsed {
  const problems: ParseError[] = [];
  const value: unknown = parse(file.text.replace(/^\uFEFF/, ''), problems, { allowTrailingComma: true });
  const first = problems[0];
  if (first) {
    const { line, column } = positionOf(file.text, first.offset);
    return {
      values: {},
      errors: [
        `${file.name}:${line}:${column}: not valid JSON (${printParseErrorCode(first.error)}). Mend the file there.`,
      ],
    };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { values: {}, errors: [`${file.name}: must hold one JSON object, as in {"port": 8080}.`] };
  }
  const errors: string[] = [];
  const values = resolve(value, '', (path, name) => {
    const found = env[name];
    if (found === undefined || found === '') {
      errors.push(
        `${file.name}: ${path}: the environment has no ${name}. Set it, or write the value in the file.`,
      );
    }
    return found ?? '';
  }) as Record<string, unknown>;
  return { values: errors.length > 0 ? {} : relaxed(values), errors };
}

/** Puts environment values where `"env:NAME"` stands, at any depth. */
function resolve(value: unknown, path: string, lookUp: (path: string, name: string) => string): unknown {
  if (typeof value === 'string')
    return value.startsWith('env:') ? lookUp(path, value.slice('env:'.length)) : value;
  if (Array.isArray(value)) return value.map((item, i) => resolve(item, `${path}[${i}]`, lookUp));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolve(item, path ? `${path}.${key}` : key, lookUp)]),
  );
}

/** Takes `"true"` for a flag, `"32MiB"` for a size, and a single `key` of an upstream for its list. */
function relaxed(values: Record<string, unknown>): Record<string, unknown> {
  const out = { ...values };
  for (const { key, form } of describeSettings()) {
    const value = out[key];
    if (typeof value !== 'string') continue;
    if (form === 'flag') out[key] = toFlag(value);
    if (form === 'bytes') out[key] = toBytes(value);
  }
  const { upstreams } = out;
  if (typeof upstreams === 'object' && upstreams !== null && !Array.isArray(upstreams)) {
    out.upstreams = Object.fromEntries(
      Object.entries(upstreams).map(([name, upstream]) => [name, withKeys(upstream)]),
    );
  }
  return out;
}

function withKeys(upstream: unknown): unknown {
  if (typeof upstream !== 'object' || upstream === null || !('key' in upstream) || 'keys' in upstream)
    return upstream;
  const { key, ...rest } = upstream;
  return { ...rest, keys: [key] };
}

function positionOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
