import { readSettings } from '../platform/node/read-settings.ts';
import type { Loaded } from '../settings/load.ts';
import { describeSettings, type Settings } from '../settings/schema.ts';

/** Explains a configuration: what was found where, and what the gateway will do with it. Secrets show as set or not. */
export async function check(
  env: NodeJS.ProcessEnv,
  configPath: string | undefined,
): Promise<{ text: string; ok: boolean }> {
  const loaded = await readSettings(env, { configPath });
  if (!loaded.ok) {
    const count = loaded.errors.length === 1 ? 'One thing is' : `${loaded.errors.length} things are`;
    return { ok: false, text: `${count} wrong:\n${loaded.errors.map((error) => `  ✗ ${error}\n`).join('')}` };
  }
  return { ok: true, text: explain(loaded) };
}

function explain(loaded: Extract<Loaded, { ok: true }>): string {
  const { settings, origins, warnings } = loaded;
  const found = describeSettings()
    .filter(({ key }) => origins[key] !== undefined && key !== 'upstreams' && key !== 'models')
    .map(({ key }) => `  ${key} = ${shown(key, settings[key as keyof Settings])}   (${origins[key]})\n`);
  return [
    'The configuration is right.\n\n',
    'Upstreams\n',
    ...upstreamLines(settings),
    '\nWho may call\n',
    ...whoMayCall(settings).map((line) => `  ${line}\n`),
    found.length > 0 ? '\nSet here (everything else is a default)\n' : '\nEverything else is a default.\n',
    ...found,
    ...(warnings.length > 0 ? ['\nWorth a look\n', ...warnings.map((warning) => `  ! ${warning}\n`)] : []),
    `\nIt will listen on http://${settings.host}:${settings.port}${settings.apiPrefix ? `/${settings.apiPrefix}` : ''}/v1\n`,
  ].join('');
}

function upstreamLines(settings: Settings): string[] {
  const named = Object.entries(settings.upstreams);
  if (named.length === 0)
    return [
      '  none: the built-in emulator answers, offline. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.\n',
    ];
  const lines = named.map(([name, upstream]) => {
    const { url, keys } = upstream;
    const models = upstream.kind === 'openai' ? upstream.models : ['its own models, and GPTs'];
    const key =
      keys.length > 0
        ? `${keys.length === 1 ? 'a server-side key' : `${keys.length} server-side keys in turn`}`
        : "the callers' own keys";
    return `  ${name}: ${url}, with ${key}, for ${models ? models.join(', ') : 'any model'}\n`;
  });
  const aliases = Object.entries(settings.models).map(([name, entry]) => {
    const choices: readonly { upstream: string; model?: string | undefined; weight?: number | undefined }[] =
      'upstreams' in entry ? entry.upstreams : [entry];
    const places = choices.map(
      ({ upstream, model = name, weight }) =>
        `${model} at ${upstream}${weight === undefined ? '' : ` (weight ${weight})`}`,
    );
    return `  model ${name} → ${places.join(', then ')}\n`;
  });
  return [...lines, ...aliases];
}

function whoMayCall(settings: Settings): string[] {
  const serverKey = Object.values(settings.upstreams).some((upstream) => upstream.keys.length > 0);
  const lines: string[] = [];
  if (settings.accessKeys.length > 0)
    lines.push(`whoever presents one of ${settings.accessKeys.length} access keys`);
  else if (serverKey && settings.publicRelay) lines.push('ANYONE, on the owner’s key (PUBLIC_RELAY)');
  else if (serverKey && settings.allowedOrigins.length === 0)
    lines.push(
      'only programs on this machine, with the server-side key',
      'not through a reverse proxy: set ACCESS_KEYS before you put one in front',
    );
  else if (serverKey)
    lines.push('browsers at the allowed origins, on the owner’s key (programs can pretend to be one)');
  else lines.push('anyone who brings a key of their own');
  if (serverKey) lines.push(`what they may reach: ${settings.accessScopes.join(', ')} (ACCESS_SCOPES)`);
  if (settings.trustedProxies.length > 0)
    lines.push(`X-Forwarded-For is believed from: ${settings.trustedProxies.join(', ')}`);
  if (settings.allowedOrigins.length > 0)
    lines.push(`browser origins: ${settings.allowedOrigins.join(', ')}`);
  return lines;
}

function shown(key: string, value: unknown): string {
  if (key === 'accessKeys') return `${(value as unknown[]).length} set`;
  if (key === 'keyForGptsInfo' || key === 'metricsKey') return 'set';
  return JSON.stringify(value);
}
