import { backendModelNames } from './gpts.ts';
import type { Settings } from './schema.ts';

type Checked = { readonly errors: string[]; readonly warnings: string[] };

/** Checks settings against each other: errors stop the start, warnings are shown. */
export function checkTogether(settings: Settings, platform: 'node' | 'workers'): Checked {
  const errors: string[] = [];
  const warnings: string[] = [];
  const upstreams = Object.entries(settings.upstreams);
  const serverKeys = upstreams.flatMap(([, upstream]) => upstream.keys);

  if (
    serverKeys.length > 0 &&
    !isGuarded(settings) &&
    !settings.publicRelay &&
    !(isLoopback(settings, platform) && settings.trustedProxies.length === 0)
  ) {
    errors.push(
      settings.trustedProxies.length > 0 && isLoopback(settings, platform)
        ? 'accessKeys: a server-side key behind a proxy (TRUSTED_PROXIES) without access keys or allowed origins is an open relay on your bill. Set ACCESS_KEYS or ALLOWED_ORIGINS, or PUBLIC_RELAY=true if you want that.'
        : `accessKeys: a server-side key without access keys or allowed origins is an open relay on your bill. Set ACCESS_KEYS or ALLOWED_ORIGINS${platform === 'node' ? ', or HOST=127.0.0.1' : ''}, or PUBLIC_RELAY=true if you want that.`,
    );
  }
  if (serverKeys.length > 0 && settings.accessScopes.includes('all') && isShared(settings, platform)) {
    warnings.push(
      'accessScopes: callers reach everything that the server-side key opens: billing, files, fine-tuning and the organization too. Set ACCESS_SCOPES=inference if they should not.',
    );
  }
  for (const [model, entry] of Object.entries(settings.models)) {
    for (const { upstream } of 'upstreams' in entry ? entry.upstreams : [entry]) {
      if (Object.hasOwn(settings.upstreams, upstream)) continue;
      const known = upstreams.map(([name]) => name).join(', ') || 'none is configured';
      errors.push(`models.${model}.upstream: there is no upstream "${upstream}". Use one of: ${known}.`);
    }
  }
  for (const name of Object.keys(settings.gpts)) {
    if (Object.hasOwn(settings.models, name))
      errors.push(`gpts.${name}: the same name is under models. Rename one of them.`);
    else if (backendModelNames.includes(name))
      errors.push(
        `gpts.${name}: "${name}" is a model of the backend-api upstream, and this GPT would replace it. Rename the GPT.`,
      );
  }
  if (
    Object.keys(settings.gpts).length > 0 &&
    !upstreams.some(([, upstream]) => upstream.kind === 'backend-api')
  ) {
    warnings.push('gpts: no backend-api upstream is configured to serve them. Set BASE_URL.');
  }
  const accessKeys = checkAccessKeys(settings, serverKeys);
  errors.push(...accessKeys.errors);
  warnings.push(...accessKeys.warnings);
  if (settings.keepAlive > 0 && settings.idleTimeout > 0 && settings.keepAlive >= settings.idleTimeout) {
    warnings.push('keepAlive: is not shorter than idleTimeout, so no keep-alive is ever sent.');
  }
  if (settings.maxHeldBytes > 0 && settings.maxBodyBytes > settings.maxHeldBytes / 2) {
    warnings.push(
      'maxHeldBytes: one caller holds at most half of it, which is less than maxBodyBytes. Set MAX_HELD_BYTES to twice MAX_BODY_BYTES or more.',
    );
  }
  if (platform === 'node' && settings.r2Domain !== undefined && settings.s3 === undefined)
    warnings.push(
      'r2Domain: links lead to R2, but pictures are stored in the data folder. Set the S3_* names of the bucket, or remove R2_DOMAIN.',
    );
  return { errors, warnings };
}

function checkAccessKeys(settings: Settings, serverKeys: readonly string[]): Checked {
  const errors: string[] = [];
  const warnings: string[] = [];
  const accessKeys = settings.accessKeys.map(({ key }) => key);
  if (accessKeys.some((key) => serverKeys.includes(key))) {
    errors.push(
      'accessKeys: one of them is also a server-side key of an upstream. Choose another: callers know the access keys.',
    );
  }
  if (accessKeys.some((key) => key.length < 16)) {
    warnings.push(
      'accessKeys: a key of fewer than 16 characters can be guessed. Create one with: openssl rand -hex 24.',
    );
  }
  if (new Set(accessKeys).size < accessKeys.length) {
    warnings.push('accessKeys: a key is listed twice. Remove one entry.');
  }
  const names = settings.accessKeys.flatMap(({ name }) => name ?? []);
  if (new Set(names).size < names.length) {
    errors.push('accessKeys: two keys have the same name. Rename one, so that logs tell them apart.');
  }
  return { errors, warnings };
}

function isGuarded(settings: Settings): boolean {
  const { accessKeys, allowedOrigins } = settings;
  return accessKeys.length > 0 || (allowedOrigins.length > 0 && !allowedOrigins.includes('*'));
}

/** Whether the gateway is reachable from other machines: directly, or through a proxy. */
function isShared(settings: Settings, platform: 'node' | 'workers'): boolean {
  return (
    !isLoopback(settings, platform) || settings.trustedProxies.length > 0 || settings.publicUrl !== undefined
  );
}

/** Whether the gateway listens on an address that only this machine can reach. */
function isLoopback(settings: Settings, platform: 'node' | 'workers'): boolean {
  return platform === 'node' && /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(settings.host);
}
