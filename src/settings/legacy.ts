/** Values as a settings file of ours would give them, and what of the older file has no place here. */
export type FromLegacy = { readonly values: Record<string, unknown>; readonly warnings: readonly string[] };

type Old = Readonly<Record<string, unknown>>;

/** Keys by which an older project's `config.json` is known. */
const marks = ['upstream_base_url', 'pandora_base_url', 'pandora_api_prefix', 'upstream_api_prefix'];

/** Whether a file is the `config.json` of an older project, to be read as it is. */
export function isLegacy(values: Old): boolean {
  return marks.some((mark) => mark in values);
}

/** What the older projects called the models that can be given other names. */
const renamed: Readonly<Record<string, string>> = {
  gpt_4_s_new_name: 'gpt-4-s',
  gpt_4_mobile_new_name: 'gpt-4-mobile',
  gpt_3_5_new_name: 'gpt-3.5-turbo',
  gpt_4_o_new_name: 'gpt-4o',
  gpt_4_o_mini_new_name: 'gpt-4o-mini',
  o1_preview_new_name: 'o1-preview',
  o1_mini_new_name: 'o1-mini',
};

/** Keys that are read below; every other one is told of. */
const read = new Set([
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
  'redis',
  'process_workers',
  'refresh_ToAccess',
]);

/** What has no place here, where more can be said of it than that. */
const lost: Readonly<Record<string, string>> = {
  need_log_to_file: 'is left out: the log goes to stderr, and whoever runs the gateway keeps it.',
  process_threads: 'is left out: one process serves many requests at once.',
  proxy: 'is left out: upstreams are asked directly.',
  custom_arkose_url: 'is left out: captcha tokens are no business of this gateway.',
  arkose_urls: 'is left out: captcha tokens are no business of this gateway.',
  use_pandora_file_server: 'is left out: files are fetched from wherever the upstream says.',
};

/** Reads an older project's `config.json`: text for booleans, lists of names in one text, the older names of keys. */
export function fromLegacy(old: Old, file: string): FromLegacy {
  const warnings = Object.keys(old)
    .filter((key) => !read.has(key))
    .map((key) => `${file}: ${key}: ${lost[key] ?? 'means nothing here and is left out.'}`);
  const values: Record<string, unknown> = {};
  const url = text(old.upstream_base_url) ?? text(old.pandora_base_url);
  const prefix = old.upstream_api_prefix ?? old.pandora_api_prefix;
  if (url) values.upstreams = { backend: { kind: 'backend-api', url, ...(prefix ? { prefix } : {}) } };
  const models = Object.entries(renamed).flatMap(([key, model]) =>
    (text(old[key]) ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && name !== model)
      .map((name) => [name, { upstream: 'backend', model }] as const),
  );
  if (models.length > 0) values.models = Object.fromEntries(models);
  const level = text(old.log_level)?.toLowerCase().replace('warning', 'warn').replace('critical', 'error');
  if (level) values.logLevel = level;
  // These two are the older gateway's own address and prefix, whatever their names say.
  const own = text(old.upload_base_url) ?? text(old.backend_container_url);
  if (own) values.publicUrl = own;
  const apiPrefix = text(old.api_prefix) ?? text(old.backend_container_api_prefix);
  if (apiPrefix) values.apiPrefix = apiPrefix;
  const workers = Number(old.process_workers);
  if (workers > 1) values.workers = workers;
  const pace = Number((old.refresh_ToAccess as Old | undefined)?.stream_sleep_time);
  if (pace > 0) values.pace = pace * 1000;
  if (text(old.key_for_gpts_info)) values.keyForGptsInfo = text(old.key_for_gpts_info);
  if (old.use_oaiusercontent_url !== undefined) values.upstreamLinks = flag(old.use_oaiusercontent_url);
  if (text(old.dalle_prompt_prefix)) values.imagePromptPrefix = text(old.dalle_prompt_prefix);
  const redis = redisUrl(old.redis);
  if (redis) values.redisUrl = redis;
  if (old.need_delete_conversation_after_response !== undefined)
    values.hideConversations = flag(old.need_delete_conversation_after_response);
  if (typeof old.bot_mode === 'object' && old.bot_mode !== null)
    values.botMode = botMode(old.bot_mode as Old, file, warnings);
  return { values, warnings };
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
    else warnings.push(`${file}: bot_mode.${key}: means nothing here and is left out.`);
  }
  return { enabled: false, ...out };
}

/** The older projects' `redis` block as an address; undefined where it names no host. */
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
