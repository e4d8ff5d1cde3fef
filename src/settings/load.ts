import * as v from 'valibot';
import { type Environment, halfSetPairs, readEnvironment } from './environment.ts';
import { misspeltNames } from './environment-names.ts';
import { readFile, type SettingsFile } from './file.ts';
import { readGpts } from './gpts.ts';
import { explainIssue } from './issues.ts';
import { fromLegacy, isLegacy } from './legacy.ts';
import { checkTogether } from './rules.ts';
import { type Settings, settingsSchema } from './schema.ts';
import { withoutEffect } from './without-effect.ts';

/** Where settings come from. Workers have no files. */
export type Sources = {
  readonly env: Environment;
  readonly file?: SettingsFile | undefined;
  /** The `gpts.json`, if there is one. */
  readonly gptsFile?: SettingsFile | undefined;
  readonly platform: 'node' | 'workers';
};

export type Loaded =
  | {
      readonly ok: true;
      readonly settings: Settings;
      readonly warnings: readonly string[];
      /** Every secret value, for redaction in logs. */
      readonly secrets: readonly string[];
      /**
       * Where each setting comes from, by key: a file name or an environment name. Other settings
       * have their default.
       */
      readonly origins: Readonly<Record<string, string>>;
    }
  | { readonly ok: false; readonly errors: readonly string[] };

/**
 * Merges the settings: the environment wins over the file, the file over the defaults. Never
 * throws. Each error is one line with the file or environment name, the key and the fix, and never
 * holds a secret value.
 */
export function loadSettings(sources: Sources): Loaded {
  const file = sources.file ?? inlineFile(sources.env);
  const fromFile = file ? readFile(file, sources.env) : { values: {}, errors: [], used: new Set<string>() };
  const gpts = sources.gptsFile ? readGpts(sources.gptsFile) : { gpts: {}, errors: [] };
  const unread = [...fromFile.errors, ...gpts.errors];
  if (unread.length > 0) return { ok: false, errors: unread };
  const parsed =
    file && isLegacy(fromFile.values)
      ? fromLegacy(fromFile.values, file.name)
      : { values: fromFile.values, warnings: [], errors: [] };
  if (parsed.errors.length > 0) return { ok: false, errors: parsed.errors };

  const environment = readEnvironment(sources.env, fromFile.used);
  const origins: Record<string, string> = {};
  for (const key of Object.keys(parsed.values)) origins[key] = file?.name ?? '';
  if (sources.gptsFile) origins.gpts ??= sources.gptsFile.name;
  Object.assign(origins, environment.origins);
  const values = { ...parsed.values, ...environment.values };
  const upstreams = withDefaultUrl(merged(parsed.values.upstreams, environment.values.upstreams));
  if (upstreams !== undefined) values.upstreams = upstreams;
  if (isObject(parsed.values.s3) && isObject(environment.values.s3))
    values.s3 = { ...parsed.values.s3, ...environment.values.s3 };
  if (Object.keys(gpts.gpts).length > 0)
    values.gpts = { ...gpts.gpts, ...(parsed.values.gpts as object | undefined) };

  const halfSet = halfSetPairs(values, origins);
  if (halfSet.length > 0) return { ok: false, errors: halfSet };
  const result = v.safeParse(settingsSchema, values);
  if (!result.success) {
    return {
      ok: false,
      errors: result.issues.map((issue) => explainIssue(issue, origins, file?.name ?? 'settings')),
    };
  }
  const output = forEmulator(result.output);
  // Workers listen on no address of this machine: no rule for loopback may apply to them.
  const isWorkers = sources.platform === 'workers';
  const settings = {
    ...output,
    coalesceMs: output.coalesceMs ?? (isWorkers ? 100 : 0),
    ...(isWorkers ? { host: '' } : {}),
  };
  const { errors, warnings } = checkTogether(settings, sources.platform);
  if (errors.length > 0) return { ok: false, errors };
  const secrets = [
    ...(settings.keyForGptsInfo ? [settings.keyForGptsInfo] : []),
    ...(settings.metricsKey ? [settings.metricsKey] : []),
    ...(settings.s3 ? [settings.s3.secretKey] : []),
    ...[settings.redisUrl, settings.httpProxy, settings.httpsProxy].flatMap(passwordIn),
    ...settings.accessKeys.map(({ key }) => key),
    ...Object.values(settings.upstreams).flatMap((upstream) => upstream.keys),
  ];
  const misspelt = misspeltNames(sources.env, fromFile.used);
  const ignored = withoutEffect(values, origins, sources.platform);
  return {
    ok: true,
    settings,
    warnings: [...parsed.warnings, ...misspelt, ...warnings, ...ignored],
    secrets,
    origins,
  };
}

/**
 * Without an upstream the emulator answers. It draws on command, so that any prompt of /v1/images/*
 * gives a picture.
 */
function forEmulator(settings: Settings): Settings {
  if (Object.keys(settings.upstreams).length > 0 || settings.imagePromptPrefix !== '') return settings;
  return { ...settings, imagePromptPrefix: '/draw' };
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

/**
 * Upstreams of the file and of the environment. If both define one, its fields are merged and the
 * environment wins.
 */
function merged(fromFile: unknown, fromEnvironment: unknown): unknown {
  if (fromFile === undefined) return fromEnvironment;
  if (!isObject(fromFile) || !isObject(fromEnvironment)) return fromFile;
  const both: Record<string, unknown> = { ...fromFile };
  for (const [name, upstream] of Object.entries(fromEnvironment)) {
    const known = both[name];
    both[name] = isObject(known) && isObject(upstream) ? { ...known, ...upstream } : upstream;
  }
  return both;
}

/**
 * The password of an address as it is written there and as it is meant, since either may appear in
 * an error.
 */
function passwordIn(address: string | undefined): string[] {
  const password = address === undefined ? '' : (URL.parse(address)?.password ?? '');
  if (password === '') return [];
  try {
    return [...new Set([password, decodeURIComponent(password)])];
  } catch {
    return [password];
  }
}

function withDefaultUrl(upstreams: unknown): unknown {
  if (!isObject(upstreams) || !isObject(upstreams.openai) || 'url' in upstreams.openai) return upstreams;
  return { ...upstreams, openai: { url: 'https://api.openai.com/v1', ...upstreams.openai } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
