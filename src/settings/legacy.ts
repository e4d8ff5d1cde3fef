import { logLevel } from './values.ts';

/** An older file as settings of ours. */
export type FromLegacy = {
  readonly values: Record<string, unknown>;
  /** A line for each key that has no counterpart here. */
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
};

type Old = Readonly<Record<string, unknown>>;

/** Keys by which the `config.json` of an older project is recognised. */
const marks = ['upstream_base_url', 'pandora_base_url', 'pandora_api_prefix', 'upstream_api_prefix'];

/** Whether a file is the `config.json` of an older project, to be read as it is. */
export function isLegacy(values: Old): boolean {
  return marks.some((mark) => mark in values);
}

/** Keys that rename a model, and the model. */
const renamed: Readonly<Record<string, string>> = {
  gpt_4_s_new_name: 'gpt-4-s',
  gpt_4_mobile_new_name: 'gpt-4-mobile',
  gpt_3_5_new_name: 'gpt-3.5-turbo',
  gpt_4_o_new_name: 'gpt-4o',
  gpt_4_o_mini_new_name: 'gpt-4o-mini',
  o1_preview_new_name: 'o1-preview',
  o1_mini_new_name: 'o1-mini',
};

/** Keys that are read below. A warning names every other one that has a value. */
const readKeys = new Set([
  ...Object.keys(renamed),
  'upstream_base_url',
  'pandora_base_url',
  'upstream_api_prefix',
  'pandora_api_prefix',
  'backend_container_url',
  'backend_container_api_prefix',
  'api_prefix',
  'log_level',
  'bot_mode',
  'need_delete_conversation_after_response',
  'key_for_gpts_info',
  'upload_base_url',
  'use_oaiusercontent_url',
  'dalle_prompt_prefix',
  'proxy',
  'redis',
  'redis.host',
  'redis.port',
  'redis.password',
  'redis.db',
  'process_workers',
  'refresh_ToAccess',
  'refresh_ToAccess.stream_sleep_time',
]);

const captcha = 'is skipped: captcha settings are not supported.';

/** Why a key has no counterpart here. */
const skipped: Readonly<Record<string, string>> = {
  need_log_to_file: 'is skipped: the log goes to stderr. Redirect it to keep it in a file.',
  process_threads: 'is skipped: one process serves many requests at the same time.',
  custom_arkose_url: captcha,
  arkose_urls: captcha,
  use_pandora_file_server: 'is skipped: files are fetched from the address that the upstream sends.',
  upload_success_text: 'is skipped: the answer has no text about uploads.',
};

/**
 * Reads the `config.json` of an older project: text for booleans, lists of names in one text, older
 * names of keys.
 */
export function fromLegacy(old: Old, file: string): FromLegacy {
  const warnings = [old, { redis: old.redis }, { refresh_ToAccess: old.refresh_ToAccess }].flatMap(
    (part, i) =>
      (i === 0 ? Object.entries(part) : nested(part))
        .filter(([key, value]) => !readKeys.has(key) && isSet(value))
        .map(([key]) => `${file}: ${key} ${skipped[key] ?? 'is skipped: there is no such setting here.'}`),
  );
  const { models, errors } = modelsOf(old, file);
  const values: Record<string, unknown> = {
    ...upstreamOf(old),
    ...(Object.keys(models).length > 0 ? { models } : {}),
    ...plainSettings(old),
  };
  if (typeof old.bot_mode === 'object' && old.bot_mode !== null)
    values.botMode = botMode(old.bot_mode as Old, file, warnings);
  return { values, warnings, errors };
}

function nested(part: Old): [string, unknown][] {
  return Object.entries(part).flatMap(([name, block]) =>
    typeof block === 'object' && block !== null
      ? Object.entries(block).map(([key, value]): [string, unknown] => [`${name}.${key}`, value])
      : [],
  );
}

/** Whether a value asks for something. An empty text and "false" are what the sample files hold. */
function isSet(value: unknown): boolean {
  return !['', 'false', 'False', false, null, undefined].includes(value as string);
}

function upstreamOf(old: Old): Record<string, unknown> {
  const url = text(old.upstream_base_url) ?? text(old.pandora_base_url);
  const prefix = old.upstream_api_prefix ?? old.pandora_api_prefix;
  if (!url) return {};
  return { upstreams: { backend: { kind: 'backend-api', url, ...(prefix ? { prefix } : {}) } } };
}

/** The new names of models. The older projects refused to start with a name twice, and so do we. */
function modelsOf(old: Old, file: string): { models: Record<string, unknown>; errors: string[] } {
  const models: Record<string, unknown> = {};
  const errors: string[] = [];
  const keyOf = new Map<string, string>();
  for (const [key, model] of Object.entries(renamed)) {
    for (const name of (text(old[key]) ?? '').split(',').map((each) => each.trim())) {
      if (name === '' || keyOf.get(name) === key) continue;
      const earlier = keyOf.get(name);
      keyOf.set(name, key);
      if (earlier !== undefined)
        errors.push(`${file}: the model name "${name}" is in ${earlier} and in ${key}. Keep one of them.`);
      if (name !== model) models[name] = { upstream: 'backend', model };
    }
  }
  return { models, errors };
}

function plainSettings(old: Old): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const set = (key: string, value: unknown): void => {
    if (value !== undefined) values[key] = value;
  };
  const level = text(old.log_level);
  set('logLevel', level && logLevel(level));
  // In these two names "backend" is the older gateway itself.
  set('publicUrl', text(old.upload_base_url) ?? text(old.backend_container_url));
  set('apiPrefix', text(old.api_prefix) ?? text(old.backend_container_api_prefix));
  const workers = Number(old.process_workers);
  if (workers > 1) values.workers = workers;
  const pace = Number((old.refresh_ToAccess as Old | undefined)?.stream_sleep_time);
  if (pace > 0) values.pace = pace * 1000;
  set('keyForGptsInfo', text(old.key_for_gpts_info));
  if (old.use_oaiusercontent_url !== undefined) values.upstreamLinks = flag(old.use_oaiusercontent_url);
  set('imagePromptPrefix', text(old.dalle_prompt_prefix));
  const proxy = isSet(old.proxy) ? text(old.proxy) : undefined;
  set('httpsProxy', proxy);
  set('httpProxy', proxy);
  set('redisUrl', redisUrl(old.redis));
  if (old.need_delete_conversation_after_response !== undefined)
    values.hideConversations = flag(old.need_delete_conversation_after_response);
  return values;
}

const switches: Readonly<Record<string, string>> = {
  enabled: 'enabled',
  enabled_markdown_image_output: 'markdownImages',
  enabled_plain_image_url_output: 'plainImageLinks',
  enabled_bing_reference_output: 'citations',
  enabled_plugin_output: 'toolOutput',
};

function botMode(old: Old, file: string, warnings: string[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(old)) {
    const name = switches[key];
    if (name) out[name] = flag(value);
    else if (isSet(value))
      warnings.push(`${file}: bot_mode.${key} is skipped: there is no such setting here.`);
  }
  return { enabled: false, ...out };
}

/** The older projects' `redis` block as an address; undefined if it names no host. */
function redisUrl(block: unknown): string | undefined {
  if (typeof block !== 'object' || block === null) return undefined;
  const { host, port, password, db } = block as Old;
  if (text(host) === undefined) return undefined;
  const secret = text(password) ? `:${encodeURIComponent(String(password))}@` : '';
  return `redis://${secret}${text(host)}:${Number(port) || 6379}/${Number(db) || 0}`;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

function flag(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return /^(true|1|yes)$/i.test(value.trim());
}
