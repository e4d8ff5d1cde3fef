import { type Described, describeSettings } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Values by setting, and the environment name that each came from. */
export type FromEnvironment = {
  readonly values: Record<string, unknown>;
  readonly origins: Record<string, string>;
};

/** Reads the settings that the environment names. An empty string counts as unset, as in compose files. */
export function readEnvironment(env: Environment): FromEnvironment {
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const described of describeSettings()) {
    const name = [described.env, ...(described.olderEnv ?? [])].find(
      (each) => each !== undefined && (env[each] ?? '').trim() !== '',
    );
    if (name === undefined) continue;
    values[described.key] = parse((env[name] ?? '').trim(), described.form);
    origins[described.key] = name;
  }
  const url = env.OPENAI_BASE_URL?.trim();
  const key = env.OPENAI_API_KEY?.trim();
  if (url || key) {
    values.upstreams = {
      openai: { kind: 'openai', ...(url ? { url } : {}), ...(key ? { keys: list(key) } : {}) },
    };
    if (url) origins['upstreams.openai.url'] = 'OPENAI_BASE_URL';
    if (key) origins['upstreams.openai.keys'] = 'OPENAI_API_KEY';
  }
  const backend = env.BASE_URL?.trim();
  if (backend) {
    const prefix = env.PROXY_API_PREFIX?.trim();
    values.upstreams = {
      ...(values.upstreams as object | undefined),
      backend: { kind: 'backend-api', url: backend, ...(prefix ? { prefix } : {}) },
    };
    origins['upstreams.backend.url'] = 'BASE_URL';
    if (prefix) origins['upstreams.backend.prefix'] = 'PROXY_API_PREFIX';
  }
  const s3 = Object.entries(s3Names).flatMap(([field, names]) => {
    const name = names.find((each) => (env[each] ?? '').trim() !== '');
    if (name === undefined) return [];
    origins[`s3.${field}`] = name;
    return [[field, (env[name] ?? '').trim()]];
  });
  if (env.S3_BUCKET?.trim()) values.s3 = Object.fromEntries(s3);
  return { values, origins };
}

/** Environment names of the S3 settings: sluice's first, then those of the AWS tools. `S3_BUCKET` switches S3 on. */
const s3Names: Readonly<Record<string, readonly string[]>> = {
  endpoint: ['S3_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  bucket: ['S3_BUCKET'],
  region: ['S3_REGION', 'AWS_REGION'],
  accessKey: ['S3_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'],
  secretKey: ['S3_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
};

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

/** Reads a size: `33554432`, `32MiB`, `64 kB`. Other text is returned as it is: the schema refuses its type. */
export function toBytes(text: string): number | string {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const name = unit?.toLowerCase() ?? 'none';
  const factor = Object.hasOwn(units, name) ? units[name] : undefined;
  return amount !== undefined && factor !== undefined ? Math.floor(Number(amount) * factor) : text;
}

/** Reads a yes or no. Other text is returned as it is: the schema refuses its type. */
export function toFlag(text: string): boolean | string {
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  return text;
}
