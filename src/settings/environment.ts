import { type Environment, s3Names } from './environment-names.ts';
import { type Described, describeSettings } from './schema.ts';

export type { Environment } from './environment-names.ts';

/** Values by setting, and the environment name that each came from. */
export type FromEnvironment = {
  readonly values: Record<string, unknown>;
  readonly origins: Record<string, string>;
};

/**
 * Reads the settings that the environment defines. An empty string counts as unset, as in compose
 * files. `used` holds the names that the settings file refers to by `"env:NAME"`: those define no
 * upstream here.
 */
export function readEnvironment(env: Environment, used: ReadonlySet<string> = new Set()): FromEnvironment {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const described of describeSettings()) {
    const name = [described.env, ...(described.olderEnv ?? [])].find(
      (each) => each !== undefined && textOf(env, each) !== undefined,
    );
    if (name === undefined) continue;
    values[described.key] = parse(textOf(env, name) ?? '', described.form);
    origins[described.key] = name;
  }
  const upstreams = {
    ...upstreamFrom(env, used, origins, 'openai', openaiFields),
    ...upstreamFrom(env, used, origins, 'backend', backendFields),
  };
  if (Object.keys(upstreams).length > 0) values.upstreams = upstreams;
  const s3 = readS3(env, origins);
  if (s3 !== null) values.s3 = s3;
  return { values, origins };
}

type Field = readonly [field: string, name: string];
const openaiFields: readonly Field[] = [
  ['url', 'OPENAI_BASE_URL'],
  ['keys', 'OPENAI_API_KEY'],
];
const backendFields: readonly Field[] = [
  ['url', 'BASE_URL'],
  ['prefix', 'PROXY_API_PREFIX'],
  ['keys', 'BACKEND_API_KEY'],
];

/** The upstream that a few names define, under its fixed name; nothing if none of them is set. */
function upstreamFrom(
  env: Environment,
  used: ReadonlySet<string>,
  origins: Record<string, string>,
  upstream: 'openai' | 'backend',
  fields: readonly Field[],
): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const [field, name] of fields) {
    const value = used.has(name) ? undefined : textOf(env, name);
    if (value === undefined) continue;
    entries.push([field, field === 'keys' ? list(value) : value]);
    origins[`upstreams.${upstream}.${field}`] = name;
  }
  if (entries.length === 0) return {};
  const kind = upstream === 'openai' ? 'openai' : 'backend-api';
  return { [upstream]: { kind, ...Object.fromEntries(entries) } };
}

/**
 * The fields of an S3 store; null if no name of ours is set. The names of S3's own tools add to
 * them.
 */
function readS3(env: Environment, origins: Record<string, string>): Record<string, string> | null {
  if (!Object.values(s3Names).some(([name]) => name !== undefined && textOf(env, name) !== undefined))
    return null;
  const fields: Record<string, string> = {};
  for (const [field, names] of Object.entries(s3Names)) {
    const name = names.find((each) => textOf(env, each) !== undefined);
    if (name === undefined) continue;
    fields[field] = textOf(env, name) ?? '';
    origins[`s3.${field}`] = name;
  }
  return fields;
}

/**
 * A line for each setting that is set by half, with the name that is missing. `values` holds the
 * merged settings.
 */
export function halfSetPairs(
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): string[] {
  const lines: string[] = [];
  const backend = (values.upstreams as Record<string, Record<string, unknown>> | undefined)?.backend;
  if (backend && backend.url === undefined) {
    for (const name of [origins['upstreams.backend.prefix'], origins['upstreams.backend.keys']])
      if (name !== undefined)
        lines.push(`${name} is set, but BASE_URL is not. Set BASE_URL to the address of the upstream.`);
  }
  const s3 = values.s3 as Record<string, unknown> | undefined;
  const first = Object.keys(s3 ?? {}).find((field) => origins[`s3.${field}`] !== undefined);
  if (s3 && first !== undefined) {
    const missing = ['bucket', 'endpoint', 'accessKey', 'secretKey'].filter(
      (field) => s3[field] === undefined,
    );
    const names = missing.map((field) => s3Names[field]?.[0]).join(', ');
    const verb = missing.length === 1 ? 'is' : 'are';
    if (missing.length > 0)
      lines.push(
        `${origins[`s3.${first}`]} is set, but ${names} ${verb} not. An S3 store needs all of them.`,
      );
  }
  return lines;
}

function textOf(env: Environment, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

function parse(text: string, form: Described['form']): unknown {
  switch (form) {
    case 'number':
      return toNumber(text);
    case 'bytes':
      return toBytes(text);
    case 'flag':
      return toFlag(text);
    case 'list':
      return list(text);
    default:
      return text;
  }
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function toNumber(text: string): number | string {
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1000,
  kb: 1000,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
};

/**
 * Reads a size as people write it: `33554432`, `32MiB`, `64 kB`. Returns other text as it is, so
 * that its type is refused.
 */
export function toBytes(text: string): number | string {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const name = unit?.toLowerCase() ?? 'none';
  const factor = Object.hasOwn(units, name) ? units[name] : undefined;
  return amount !== undefined && factor !== undefined ? Math.floor(Number(amount) * factor) : text;
}

/** Reads yes or no as people write it. Returns other text as it is, so that its type is refused. */
export function toFlag(text: string): boolean | string {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  return text;
}
