import type { Environment, Found, KeepKnown, Tree } from './import-types.ts';

type Bucket = { readonly binding?: string; readonly bucket_name?: string };

/**
 * Reads a `wrangler.toml`: its variables, and what the owner needs to deploy to the same Worker
 * again.
 */
export function readWrangler(document: unknown, name: string, notes: string[], keep: KeepKnown): Found {
  const {
    name: worker,
    vars = {},
    r2_buckets: buckets = [],
  } = (document ?? {}) as {
    name?: string;
    vars?: Tree;
    r2_buckets?: readonly Bucket[];
  };
  const written = Object.fromEntries(Object.entries(vars).map(([key, value]) => [key, String(value)]));
  const environment = keep(written, name, notes);
  for (const { binding } of buckets)
    if (binding !== 'R2buket' && binding !== 'BLOBS')
      notes.push(`${name}: name the R2 binding BLOBS in wrangler.jsonc; ${binding} is not known here.`);
  // A Worker without BASE_URL passed requests on to OpenAI with its own key, a secret at
  // Cloudflare.
  const needsKey = written.BASE_URL === undefined && environment.OPENAI_API_KEY === undefined;
  if (needsKey) {
    environment.OPENAI_BASE_URL ??= 'https://api.openai.com/v1';
    environment.OPENAI_API_KEY = 'env:OPENAI_API_KEY';
    notes.push(
      `${name}: the secret OPENAI_API_KEY is stored at Cloudflare and cannot be read from here. Set it again.`,
      'The older Worker let anyone spend this key. Set ACCESS_KEYS=..., or ALLOWED_ORIGINS=https://your.page if a web page calls; on Workers nothing is served without one of them.',
    );
  }
  return { environment, worker: workerSteps(worker, written, buckets, needsKey) };
}

/** What to do to stay on Cloudflare Workers, under the same name and so the same address. */
function workerSteps(
  worker: string | undefined,
  vars: Environment,
  buckets: readonly Bucket[],
  needsKey: boolean,
): string {
  const config = {
    ...(worker ? { name: worker } : {}),
    ...(Object.keys(vars).length > 0 ? { vars } : {}),
    ...(buckets.length > 0 ? { r2_buckets: buckets } : {}),
  };
  const lines = JSON.stringify(config, null, 2).split('\n').slice(1, -1);
  return [
    'To stay on Cloudflare Workers, put this into wrangler.jsonc of the sluice folder:',
    ...lines,
    'then run there:',
    '  npm install',
    ...(needsKey
      ? ['  npx wrangler secret put OPENAI_API_KEY', '  npx wrangler secret put ACCESS_KEYS']
      : []),
    '  npx wrangler deploy',
  ].join('\n');
}
