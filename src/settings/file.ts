import { type Environment, toBytes, toFlag } from './environment.ts';
import { readJsonObject } from './json.ts';
import { describeSettings } from './schema.ts';

/** A settings file: its name, for messages, and its text. */
export type SettingsFile = { readonly name: string; readonly text: string };

export type Parsed = {
  readonly values: Record<string, unknown>;
  readonly errors: readonly string[];
  /** The environment names that the file refers to by `"env:NAME"`. */
  readonly used: ReadonlySet<string>;
};

/**
 * Reads a settings file: JSON with comments and trailing commas. `"env:NAME"` is replaced by that
 * environment value.
 */
export function readFile(file: SettingsFile, env: Environment): Parsed {
  const json = readJsonObject(file, '{"port": 8080}');
  const used = new Set<string>();
  if (!json.ok) return { values: {}, errors: json.errors, used };
  const errors: string[] = [];
  const values = resolve(json.value, '', (path, name) => {
    used.add(name);
    const value = env[name];
    if (value === undefined || value === '') {
      errors.push(
        `${file.name}: ${path}: the environment has no ${name}. Set it, or write the value in the file.`,
      );
    }
    return value ?? '';
  }) as Record<string, unknown>;
  return { values: errors.length > 0 ? {} : relaxed(values), errors, used };
}

/** Replaces `"env:NAME"` by the value of the environment, at any depth. */
function resolve(value: unknown, path: string, lookUp: (path: string, name: string) => string): unknown {
  if (typeof value === 'string')
    return value.startsWith('env:') ? lookUp(path, value.slice('env:'.length)) : value;
  if (Array.isArray(value)) return value.map((item, i) => resolve(item, `${path}[${i}]`, lookUp));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, resolve(item, path ? `${path}.${key}` : key, lookUp)]),
  );
}

/**
 * Accepts `"true"` for a flag, `"32MiB"` for a size, and `key` of an upstream for a list with one
 * key.
 */
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
