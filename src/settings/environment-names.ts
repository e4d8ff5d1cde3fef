import { distance } from 'fastest-levenshtein';
import { describeSettings } from './schema.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Names that define upstreams. They are no settings of their own, so the declaration does not list
 * them.
 */
export const upstreamNames = [
  'OPENAI_BASE_URL',
  'OPENAI_API_KEY',
  'BASE_URL',
  'PROXY_API_PREFIX',
  'BACKEND_API_KEY',
] as const;

/** Names of an S3 store by field: ours first, then those that S3's own tools use. */
export const s3Names: Readonly<Record<string, readonly string[]>> = {
  endpoint: ['S3_ENDPOINT', 'AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
  bucket: ['S3_BUCKET'],
  region: ['S3_REGION', 'AWS_REGION'],
  accessKey: ['S3_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID'],
  secretKey: ['S3_SECRET_ACCESS_KEY', 'AWS_SECRET_ACCESS_KEY'],
};

/**
 * Names that many projects use for the same thing and that are too far from ours to be found by
 * distance.
 */
const otherNames: Readonly<Record<string, string>> = {
  OPENAI_KEY: 'OPENAI_API_KEY',
  OPENAI_TOKEN: 'OPENAI_API_KEY',
  OPENAI_API_BASE: 'OPENAI_BASE_URL',
  OPENAI_API_BASE_URL: 'OPENAI_BASE_URL',
  OPENAI_API_URL: 'OPENAI_BASE_URL',
  OPENAI_PROXY_URL: 'OPENAI_BASE_URL',
  S3_ACCESS_KEY: 'S3_ACCESS_KEY_ID',
  S3_SECRET_KEY: 'S3_SECRET_ACCESS_KEY',
};

/** Every environment name that the settings know. */
export function knownNames(): ReadonlySet<string> {
  return new Set([
    'SLUICE_CONFIG',
    ...upstreamNames,
    ...Object.values(s3Names).flat(),
    ...describeSettings().flatMap(({ env, olderEnv = [] }) => (env ? [env, ...olderEnv] : olderEnv)),
  ]);
}

/**
 * A line for each environment name that looks like a misspelt one of ours. Most programs see dozens
 * of foreign names, so a name counts only if it is close for its length, and only if ours is not
 * set too.
 */
export function misspeltNames(env: Environment, used: ReadonlySet<string> = new Set()): string[] {
  const known = knownNames();
  const lines: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (known.has(name) || used.has(name) || !value || !/^[A-Z][A-Z0-9_]{4,63}$/.test(name)) continue;
    const meant = meantBy(name, known);
    if (meant !== null && !env[meant])
      lines.push(`${name} is set in the environment, but there is no such setting. Did you mean ${meant}?`);
  }
  return lines;
}

function meantBy(name: string, known: ReadonlySet<string>): string | null {
  if (otherNames[name]) return otherNames[name];
  const bare = name.replace(/^SLUICE_/, '');
  if (bare !== name && known.has(bare)) return bare;
  const limit = name.length >= 8 ? 2 : 1;
  let nearest: string | null = null;
  let least = limit + 1;
  for (const candidate of known) {
    const away = distance(name, candidate);
    if (away >= least) continue;
    nearest = candidate;
    least = away;
  }
  return nearest;
}
