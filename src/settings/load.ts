import * as v from 'valibot';
import { type Environment, readEnvironment } from './environment.ts';
import { readFile, type SettingsFile } from './file.ts';
import { readGpts } from './gpts.ts';
import { explainIssue } from './issues.ts';
import { fromLegacy, isLegacy } from './legacy.ts';
import { checkTogether } from './rules.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { withoutEffect } from './without-effect.ts';

/** Where settings come from. Workers have no file. */
export type Sources = {
  readonly env: Environment;
  readonly file?: SettingsFile | undefined;
  /** The `gpts.json`, where there is one. */
  readonly gptsFile?: SettingsFile | undefined;
  readonly platform: 'node' | 'workers';
};

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly warnings: readonly string[];
      /** Every secret value: logs redact them. */
      readonly secrets: readonly string[];
      /** The file or environment name that each setting comes from, by key. A missing key has its default. */
      readonly origins: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Merges the settings: the environment overrides the file, the file overrides the defaults. Never throws.
 * Each error is one line that names the file or environment name, the key and the fix. It holds no
 * value, since a value can be a secret.
 */
export function loadSettings(sources: Sources): Loaded {
  const file = sources.file ?? inlineFile(sources.env);
  const read = file ? readFile(file, sources.env) : { values: {}, errors: [] };
  const gpts = sources.gptsFile ? readGpts(sources.gptsFile) : { gpts: {}, errors: [] };
  const unread = [...read.errors, ...gpts.errors];
  if (unread.length > 0) return { ok: false, errors: unread };
  const parsed =
    file && isLegacy(read.values)
      ? fromLegacy(read.values, file.name)
      : { values: read.values, warnings: [] };

  const environment = readEnvironment(sources.env);
  const origins: Record<string, string> = {};
  for (const key of Object.keys(parsed.values)) origins[key] = file?.name ?? '';
  if (sources.gptsFile) origins.gpts ??= sources.gptsFile.name;
  Object.assign(origins, environment.origins);
  const values = { ...parsed.values, ...environment.values };
  const upstreams = joined(parsed.values.upstreams, environment.values.upstreams);
  if (upstreams !== undefined) values.upstreams = upstreams;
  if (Object.keys(gpts.gpts).length > 0)
    values.gpts = { ...gpts.gpts, ...(parsed.values.gpts as object | undefined) };

  const result = v.safeParse(settingsSchema, values);
  if (!result.success) {
    return {
      ok: false,
      errors: result.issues.map((issue) => explainIssue(issue, origins, file?.name ?? 'settings')),
    };
  }
  // Workers listen on no address of this machine: no rule for loopback may apply to them.
  const isWorkers = sources.platform === 'workers';
  const settings = {
    ...result.output,
    coalesceMs: result.output.coalesceMs ?? (isWorkers ? 100 : 0),
    ...(isWorkers ? { host: '' } : {}),
  };
  const { errors, warnings } = checkTogether(settings, sources.platform);
  if (errors.length > 0) return { ok: false, errors };
  const secrets = [
    ...(settings.keyForGptsInfo ? [settings.keyForGptsInfo] : []),
    ...(settings.metricsKey ? [settings.metricsKey] : []),
    ...(settings.s3 ? [settings.s3.secretKey] : []),
    ...(settings.redisUrl ? [decodeURIComponent(new URL(settings.redisUrl).password)].filter(Boolean) : []),
    ...settings.accessKeys.map(({ key }) => key),
    ...Object.values(settings.upstreams).flatMap((upstream) => upstream.keys),
  ];
  const ignored = withoutEffect(values, origins, sources.platform);
  return { ok: true, settings, warnings: [...parsed.warnings, ...warnings, ...ignored], secrets, origins };
}

/** `SLUICE_CONFIG` may hold the text itself: Workers have no file to name. */
function inlineFile(env: Environment): SettingsFile | undefined {
  const text = env.SLUICE_CONFIG;
  return isInline(text) ? { name: 'SLUICE_CONFIG', text } : undefined;
}

/** Whether `SLUICE_CONFIG` holds settings, and not the name of a file. */
export function isInline(text: string | undefined): text is string {
  return text !== undefined && /^\s*(\{|\/\/ |\/\*)/.test(text);
}

/** Upstreams of the file and of the environment; where both name one, the environment goes first, field by field. */
function joined(fromFile: unknown, fromEnvironment: unknown): unknown {
  if (!isObject(fromFile)) return fromFile === undefined ? withDefaultUrl(fromEnvironment) : fromFile;
  if (!isObject(fromEnvironment)) return fromFile;
  const both: Record<string, unknown> = { ...fromFile };
  for (const [name, upstream] of Object.entries(fromEnvironment)) {
    const known = both[name];
    both[name] = isObject(known) && isObject(upstream) ? { ...known, ...upstream } : upstream;
  }
  return withDefaultUrl(both);
}

function withDefaultUrl(upstreams: unknown): unknown {
  if (!isObject(upstreams) || !isObject(upstreams.openai) || 'url' in upstreams.openai) return upstreams;
  return { ...upstreams, openai: { url: 'https://api.openai.com/v1', ...upstreams.openai } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
