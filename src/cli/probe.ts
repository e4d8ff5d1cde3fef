import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { createFetch } from '../platform/node/fetch.ts';
import { createProxyFor } from '../platform/node/outbound-proxy.ts';
import { createRedisCache } from '../platform/node/stores/redis-cache.ts';
import { createS3Blobs } from '../platform/node/stores/s3-blobs.ts';
import type { Settings } from '../settings/schema.ts';
import { baseOf } from '../upstreams/openai-compatible/base-url.ts';

/** What was tried, and how it went. `problem` is null if it works. */
export type Probe = { readonly name: string; readonly text: string; readonly problem: string | null };

/** Seconds for each thing that is tried. */
const limitSeconds = 10;

/**
 * Tries what the settings name: the storage, Redis and the upstreams. Nothing is written or spent:
 * an upstream is asked for its model list.
 */
export async function probeWorld(settings: Settings): Promise<readonly Probe[]> {
  const fetch = createFetch(limitSeconds, createProxyFor(settings));
  try {
    return await Promise.all([
      settings.s3 ? probeS3(settings.s3) : probeFolder(settings.dataDir),
      ...(settings.redisUrl === undefined ? [] : [probeRedis(settings.redisUrl)]),
      ...Object.entries(settings.upstreams).map(([name, upstream]) => probeUpstream(name, upstream, fetch)),
    ]);
  } finally {
    await fetch.close();
  }
}

async function probeFolder(dataDir: string): Promise<Probe> {
  const name = `data folder ${dataDir}`;
  for (let folder = resolve(dataDir); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => null);
    if (!found && dirname(folder) !== folder) continue;
    const isMade = folder !== resolve(dataDir);
    if (!found?.isDirectory())
      return { name, text: '', problem: `${folder} is not a folder. Set DATA_DIR to another path.` };
    const error = await access(folder, constants.W_OK).then(
      () => null,
      () => `the gateway may not write to ${folder}. Change its owner or permissions, or set DATA_DIR.`,
    );
    return { name, text: isMade ? 'can be created' : 'can be written', problem: error };
  }
}

async function probeS3(s3: NonNullable<Settings['s3']>): Promise<Probe> {
  const name = `S3 bucket ${s3.bucket} at ${s3.endpoint}`;
  const list = async (): Promise<void> => {
    for await (const _ of createS3Blobs(s3).list('media/')) return;
  };
  const problem = await within(list()).then(() => null, reasonOf);
  return { name, text: 'can be listed', problem };
}

async function probeRedis(url: string): Promise<Probe> {
  const { host } = new URL(url);
  const cache = createRedisCache(url);
  const get = async (): Promise<void> => {
    for (;;) {
      const error = await cache.get(['check']).then(
        () => null,
        (reason: Error) => reason,
      );
      if (!error) return;
      // A command has less time than the first connection. The cause says that the connection
      // failed.
      if (error.cause) throw error;
    }
  };
  const problem = await within(get()).then(() => null, reasonOf);
  cache.close();
  return { name: `Redis at ${host}`, text: 'answers', problem };
}

async function probeUpstream(
  name: string,
  { kind, url, keys, ...rest }: Settings['upstreams'][string],
  fetch: ReturnType<typeof createFetch>,
): Promise<Probe> {
  const [prefix = ''] = 'prefix' in rest ? rest.prefix : [];
  const base = kind === 'openai' ? baseOf(url) : null;
  const stem = `${url.replace(/\/+$/, '')}${prefix === '' ? '' : `/${prefix}`}`;
  const address = base ? base.origin + base.pathFor('/v1/models') : `${stem}/backend-api/models`;
  const probe = { name: `upstream ${name} at ${new URL(address).origin}` };
  const [key] = keys;
  const signal = AbortSignal.timeout(limitSeconds * 1000);
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  try {
    const response = await fetch(address, { headers, signal });
    await response.body?.cancel();
    return { ...probe, ...judge(response.status, key !== undefined) };
  } catch (error) {
    return { ...probe, text: '', problem: reasonOf(error) };
  }
}

/**
 * Without a server-side key a refusal is expected: the upstream is there, and callers use their own
 * keys.
 */
function judge(status: number, hasKey: boolean): Omit<Probe, 'name'> {
  if (status === 401 || status === 403)
    return hasKey
      ? { text: '', problem: `it refuses the server-side key (status ${status}). Set another key.` }
      : { text: `answers (status ${status} without a key)`, problem: null };
  if (status >= 500) return { text: '', problem: `it answers with an error (status ${status})` };
  if (status === 404)
    return { text: 'answers, but has no model list at this path (status 404)', problem: null };
  return { text: hasKey ? 'answers and accepts the key' : 'answers', problem: null };
}

function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${limitSeconds} seconds`)),
      limitSeconds * 1000,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** The cause of an error in one line. Codes say more than the messages around them. */
function reasonOf(error: unknown): string {
  const {
    message = '',
    cause,
    code,
    errors,
  } = (error ?? {}) as {
    message?: string;
    cause?: unknown;
    code?: string;
    errors?: readonly unknown[];
  };
  if (cause) return reasonOf(cause);
  if (errors?.[0]) return reasonOf(errors[0]);
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name is not known (${code})`;
  return message.split('\n')[0] || (code ?? 'unknown error');
}
