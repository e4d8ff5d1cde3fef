import { expect, test } from 'vitest';
import { loadSettings } from './load.ts';

const load = (config: object, env: Record<string, string> = {}) =>
  loadSettings({ env, platform: 'node', file: { name: 'config.json', text: JSON.stringify(config) } });

test('an older project’s config.json is read as it is', () => {
  const loaded = load({
    log_level: 'INFO',
    need_log_to_file: 'true',
    process_workers: 2,
    upstream_base_url: 'http://pandora:8181/',
    upstream_api_prefix: 'abcdef12',
    backend_container_url: 'http://1.2.3.4:50011',
    backend_container_api_prefix: '666',
    refresh_ToAccess: { stream_sleep_time: 0.02, enableOai: 'false', oai_key: 'x' },
    key_for_gpts_info: 'fk-info',
    gpt_4_s_new_name: 'gpt-4-s,my-gpt-4',
    gpt_3_5_new_name: 'gpt-3.5-turbo',
    need_delete_conversation_after_response: 'false',
    api_prefix: '',
    bot_mode: {
      enabled: 'true',
      enabled_markdown_image_output: 'true',
      enabled_bing_reference_output: 'false',
      enabled_plugin_output: 'true',
    },
    redis: { host: 'redis', password: 'p@ss', db: 2, pool_size: 10 },
    proxy: 'http://proxy:7890',
    custom_arkose_url: 'false',
    arkose_urls: '',
    use_oaiusercontent_url: 'false',
    dalle_prompt_prefix: 'Draw exactly this: ',
  });
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  expect(loaded.settings).toMatchObject({
    logLevel: 'info',
    upstreams: { backend: { kind: 'backend-api', url: 'http://pandora:8181/', prefix: ['abcdef12'] } },
    keyForGptsInfo: 'fk-info',
    publicUrl: 'http://1.2.3.4:50011',
    apiPrefix: '666',
    workers: 2,
    pace: 20,
    models: { 'my-gpt-4': { upstream: 'backend', model: 'gpt-4-s' } },
    hideConversations: false,
    redisUrl: 'redis://:p%40ss@redis:6379/2',
    httpProxy: 'http://proxy:7890',
    httpsProxy: 'http://proxy:7890',
    upstreamLinks: false,
    imagePromptPrefix: 'Draw exactly this:',
    botMode: {
      enabled: true,
      markdownImages: true,
      citations: false,
      toolOutput: true,
      plainImageLinks: false,
    },
  });
  expect(loaded.warnings).toEqual([
    'config.json: need_log_to_file is skipped: the log goes to stderr. Redirect it to keep it in a file.',
    'config.json: redis.pool_size is skipped: there is no such setting here.',
    'config.json: refresh_ToAccess.oai_key is skipped: there is no such setting here.',
  ]);
  expect(loaded.secrets).toEqual(expect.arrayContaining(['fk-info', 'p@ss']));
});

test('the older names of keys, and a list of prefixes', () => {
  expect(
    load({ pandora_base_url: 'https://p.example', upstream_api_prefix: ['abcdef12', 'ghijkl34'] }),
  ).toMatchObject({
    ok: true,
    settings: { upstreams: { backend: { url: 'https://p.example', prefix: ['abcdef12', 'ghijkl34'] } } },
  });
});

test('an error in one is explained like any other', () => {
  expect(load({ upstream_base_url: 'pandora:8181' })).toMatchObject({
    ok: false,
    errors: [expect.stringContaining('upstreams.backend.url is "pandora:8181", but must be an http')],
  });
});

test('a model name that two keys give is refused, as the older projects did', () => {
  expect(
    load({ upstream_base_url: 'http://p', gpt_4_s_new_name: 'dup', gpt_4_mobile_new_name: 'dup,dall-e-3' }),
  ).toEqual({
    ok: false,
    errors: [
      'config.json: the model name "dup" is in gpt_4_s_new_name and in gpt_4_mobile_new_name. Keep one of them.',
    ],
  });
});
