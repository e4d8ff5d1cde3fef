import { redact } from '../observe/redact.ts';
import { readSettings } from '../platform/node/read-settings.ts';
import type { Loaded } from '../settings/load.ts';
import { describeSettings, type Settings } from '../settings/schema.ts';
import { type Probe, probeWorld } from './probe.ts';

type Result = { readonly text: string; readonly ok: boolean };

/**
 * `sluice check`: shows the settings and where they come from, and tries storage and upstreams
 * unless `offline`. Shows no secret.
 */
export async function check(
  env: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined; offline?: boolean | undefined },
): Promise<Result> {
  const loaded = await readSettings(env, options);
  if (!loaded.ok) {
    const count =
      loaded.errors.length === 1 ? 'There is 1 error' : `There are ${loaded.errors.length} errors`;
    return { ok: false, text: `${count}:\n${loaded.errors.map((error) => `  ✗ ${error}\n`).join('')}` };
  }
  const probes = options.offline ? [] : await probeWorld(loaded.settings);
  const ok = probes.every(({ problem }) => problem === null);
  return { ok, text: redact(explain(loaded, probes, ok), loaded.secrets) };
}

function explain(loaded: Extract<Loaded, { ok: true }>, probes: readonly Probe[], ok: boolean): string {
  const { settings, origins, warnings } = loaded;
  const lines = describeSettings()
    .filter(({ key }) => isSet(key, origins) && key !== 'upstreams' && key !== 'models')
    .map(
      (setting) => `  ${setting.key} = ${shown(setting, settings)}   (${originOf(setting.key, origins)})\n`,
    );
  const title = ok ? 'The settings are valid.' : 'The settings are valid, but not everything works.';
  return [
    `${title}\n`,
    ...section(
      'Warnings',
      warnings.map((warning) => `  ! ${warning}\n`),
    ),
    ...section('Upstreams', upstreamLines(settings)),
    ...section(
      'Who may call',
      whoMayCall(settings).map((line) => `  ${line}\n`),
    ),
    ...section('Settings that are not the default', lines),
    ...section('Tried now', probes.map(probeLine)),
    `\nIt will listen on http://${settings.host}:${settings.port}${settings.apiPrefix ? `/${settings.apiPrefix}` : ''}/v1\n`,
  ].join('');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`\n${title}\n`, ...lines];
}

function probeLine({ name, text, problem }: Probe): string {
  return problem === null ? `  ✓ ${name}: ${text}\n` : `  ✗ ${name}: ${problem}\n`;
}

/** Whether a setting, or a field of it, comes from the file or the environment. */
function isSet(key: string, origins: Readonly<Record<string, string>>): boolean {
  return originOf(key, origins) !== '';
}

function originOf(key: string, origins: Readonly<Record<string, string>>): string {
  const names = Object.keys(origins).filter((name) => name === key || name.startsWith(`${key}.`));
  return [...new Set(names.map((name) => origins[name]))].join(', ');
}

function upstreamLines(settings: Settings): string[] {
  const named = Object.entries(settings.upstreams);
  if (named.length === 0)
    return [
      '  none: the built-in emulator answers, offline. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.\n',
    ];
  const lines = named.map(([name, upstream]) => {
    const { url, keys } = upstream;
    const models = upstream.kind === 'openai' ? upstream.models : ['its own models and GPTs'];
    const key =
      keys.length > 0
        ? `${keys.length === 1 ? 'a server-side key' : `${keys.length} server-side keys in turn`}`
        : 'the keys of the callers';
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
  const hasServerKey = Object.values(settings.upstreams).some((upstream) => upstream.keys.length > 0);
  const count = settings.accessKeys.length;
  const lines: string[] = [];
  if (count > 0) lines.push(`callers with ${count === 1 ? 'the access key' : `one of ${count} access keys`}`);
  else if (hasServerKey && settings.publicRelay) lines.push('ANYONE, with your key (PUBLIC_RELAY)');
  else if (hasServerKey && settings.allowedOrigins.length === 0)
    lines.push(
      'programs on this machine only, with your key',
      'not through a reverse proxy: set ACCESS_KEYS before you put one in front',
    );
  else if (hasServerKey)
    lines.push('browsers at the allowed origins, with your key (a program can pretend to be one)');
  else if (Object.keys(settings.upstreams).length === 0) lines.push('anyone: the emulator needs no key');
  else lines.push('anyone with a key of their own');
  if (hasServerKey) lines.push(`what they may reach: ${settings.accessScopes.join(', ')} (ACCESS_SCOPES)`);
  if (settings.trustedProxies.length > 0)
    lines.push(`X-Forwarded-For is believed from: ${settings.trustedProxies.join(', ')}`);
  if (settings.allowedOrigins.length > 0)
    lines.push(`browser origins: ${settings.allowedOrigins.join(', ')}`);
  return lines;
}

function shown({ key, secret }: { key: string; secret?: true }, settings: Settings): string {
  const value: unknown = settings[key as keyof Settings];
  if (key === 'accessKeys') return `${settings.accessKeys.length} set`;
  if (key === 's3' && settings.s3) {
    const { accessKey: _, secretKey: __, ...rest } = settings.s3;
    return `${JSON.stringify(rest)}, with its keys`;
  }
  if (!secret) return JSON.stringify(value);
  const url = URL.parse(String(value));
  if (!url?.host) return 'set';
  return `"${url.protocol}//${url.username || url.password ? '***@' : ''}${url.host}${url.pathname}"`;
}
