import ipaddr from 'ipaddr.js';
import * as v from 'valibot';
import { backendUpstream, modelEntry, openaiUpstream } from './upstream-schema.ts';
import {
  type About,
  accessKey,
  bytes,
  count,
  countUpTo,
  flag,
  httpUrl,
  key,
  logLevel,
  name,
  proxyUrl,
  publicDomain,
  seconds,
  setting,
  text,
} from './values.ts';

/** An S3-compatible store and the credentials for it. */
export const s3 = v.strictObject({
  endpoint: setting(httpUrl(), { docs: 'Address of the store, without the bucket.' }),
  bucket: setting(text(), { docs: 'Name of the bucket.' }),
  region: setting(v.optional(text(), 'us-east-1'), { docs: 'Region of the bucket.' }),
  accessKey: setting(text(), { secret: true, docs: 'Access key id.' }),
  secretKey: setting(text(), { secret: true, docs: 'Secret access key.' }),
  pathStyle: setting(v.optional(flag(), true), {
    docs: 'true: the bucket is part of the path. false: it is part of the host name.',
  }),
});

/** What converted answers show in bot mode. */
export const botMode = v.strictObject({
  enabled: setting(v.optional(flag(), true), { docs: 'Switches bot mode on.' }),
  markdownImages: setting(v.optional(flag(), false), { docs: 'Show pictures as Markdown.' }),
  plainImageLinks: setting(v.optional(flag(), false), { docs: 'Show pictures as plain links.' }),
  citations: setting(v.optional(flag(), false), { docs: 'Show searches and sources.' }),
  toolOutput: setting(v.optional(flag(), false), { docs: 'Show code and its output.' }),
});

/**
 * Every setting, declared once. The settings file, the environment, `--help`, the JSON Schema and
 * the docs are made from this declaration.
 */
export const settingsSchema = v.strictObject({
  $schema: v.optional(v.string()),
  host: setting(v.optional(text(), '127.0.0.1'), {
    env: 'HOST',
    onlyOn: 'node',
    docs: 'Address to listen on. 127.0.0.1 accepts connections from this machine only, 0.0.0.0 from every network. Node only.',
  }),
  port: setting(
    v.optional(
      v.pipe(
        v.number(),
        v.integer('must be a whole number'),
        v.minValue(0, 'must be from 0 to 65535'),
        v.maxValue(65_535, 'must be from 0 to 65535'),
      ),
      8080,
    ),
    {
      env: 'PORT',
      onlyOn: 'node',
      form: 'number',
      docs: 'Port to listen on; 0 picks a free one. Node only.',
    },
  ),
  upstreams: setting(
    v.optional(
      v.record(
        name(),
        v.variant(
          'kind',
          [openaiUpstream, backendUpstream],
          'must be an object with "kind": "openai" or "backend-api"',
        ),
      ),
      {},
    ),
    {
      docs: 'Upstreams by name. Without any, the built-in emulator answers. OPENAI_BASE_URL and OPENAI_API_KEY define one named "openai", BASE_URL one named "backend".',
    },
  ),
  models: setting(v.optional(v.record(text(), modelEntry), {}), {
    docs: 'Your own model names. Each entry says which upstream serves the model and what the model is called there.',
  }),
  gpts: setting(
    v.optional(
      v.record(
        text(),
        v.looseObject({ id: v.pipe(v.string(), v.regex(/^g-[\w-]+$/, 'must be the id of a GPT, as g-...')) }),
      ),
      {},
    ),
    {
      docs: 'GPTs: a model name for each GPT id, as in gpts.json.',
    },
  ),
  gptsFile: setting(v.optional(text(), './gpts.json'), {
    env: 'GPTS_FILE',
    onlyOn: 'node',
    docs: 'A file of GPTs, as {"my-gpt": {"id": "g-abc"}}. By default gpts.json is looked for beside the settings file, then in the working folder. Node only. On Workers, use gpts in SLUICE_CONFIG.',
  }),
  keyForGptsInfo: setting(v.optional(key()), {
    secret: true,
    env: 'KEY_FOR_GPTS_INFO',
    docs: 'Key that is used to read the descriptions of GPTs. Conversations with a GPT need its description.',
  }),
  hideConversations: setting(v.optional(flag(), true), {
    env: 'HIDE_CONVERSATIONS',
    form: 'flag',
    docs: 'Hide each backend-api conversation in the web app after its answer, also if the answer failed or the caller left.',
  }),
  historyDisabled: setting(v.optional(flag(), false), {
    env: 'HISTORY_DISABLED',
    form: 'flag',
    docs: 'Use temporary chats for backend-api conversations. Long answers are then not continued, and files of an answer cannot be fetched.',
  }),
  sendHints: setting(v.optional(flag(), true), {
    env: 'SEND_HINTS',
    form: 'flag',
    docs: 'Tell a backend-api upstream how much to think (`reasoning_effort`), and when to search or draw. Switch it off for an old upstream that refuses this.',
  }),
  backgroundTimeout: setting(v.optional(seconds(), 600), {
    env: 'BACKGROUND_TIMEOUT',
    form: 'number',
    docs: 'Seconds to wait for a backend-api answer that comes in the background: a picture, research, or what a stream handed over. TOTAL_TIMEOUT counts too.',
  }),
  continueRounds: setting(v.optional(countUpTo(20), 3), {
    env: 'CONTINUE_ROUNDS',
    form: 'number',
    docs: 'How many times a backend-api answer that was cut for length is continued. 0: never.',
  }),
  alwaysAllowActions: setting(v.optional(flag(), false), {
    env: 'ALWAYS_ALLOW_ACTIONS',
    form: 'flag',
    docs: 'Approve the actions of GPTs automatically when they ask for confirmation.',
  }),
  nonStreamKeepAlive: setting(v.optional(flag(), false), {
    env: 'NON_STREAM_KEEPALIVE',
    form: 'flag',
    docs: 'Send spaces while a converted answer without streaming is prepared, so that proxies keep the connection open. The status is then always 200, even if the answer fails.',
  }),
  coalesceMs: setting(
    v.optional(
      v.pipe(
        v.number(),
        v.minValue(0, 'must be 0 or more milliseconds'),
        v.maxValue(1000, 'must be at most 1000 milliseconds'),
      ),
    ),
    {
      env: 'COALESCE_MS',
      form: 'number',
      docs: "Milliseconds for which the events of an upstream's conversation gather before they are converted; 0 converts each as it comes. The first words never wait. If not set: 0 on Node, 100 on Workers, where each wake costs CPU time.",
    },
  ),
  pace: setting(
    v.optional(
      v.pipe(
        v.number(),
        v.minValue(0, 'must be 0 or more milliseconds'),
        v.maxValue(1000, 'must be at most 1000 milliseconds'),
      ),
      0,
    ),
    {
      env: 'PACE_MS',
      form: 'number',
      docs: 'Milliseconds between two chunks of a converted stream. 0: send each chunk at once.',
    },
  ),
  botMode: setting(v.optional(botMode, { enabled: false }), {
    docs: 'For bots that show plain text only. When enabled, converted answers contain the text and only the extras that are set to true.',
  }),
  accessKeys: setting(v.optional(v.array(accessKey()), []), {
    env: 'ACCESS_KEYS',
    secret: true,
    form: 'list',
    docs: 'Callers must send one of these keys. They are never sent to an upstream. Logs show the name of a key that is written as name=key. Create one with: openssl rand -hex 24.',
  }),
  accessScopes: setting(
    v.optional(
      v.pipe(
        v.array(
          v.picklist(['inference', 'files', 'billing', 'all'], 'must be inference, files, billing or all'),
        ),
        v.minLength(1, 'must name a scope: inference, files, billing or all'),
      ),
      ['all'],
    ),
    {
      env: 'ACCESS_SCOPES',
      form: 'list',
      docs: 'What callers may reach with a server-side key: inference, files, billing, or all. The rest is a 403.',
    },
  ),
  trustedProxies: setting(
    v.optional(
      v.array(
        v.pipe(v.string(), v.check(isNetwork, 'must be addresses or networks, as 127.0.0.1 or 10.0.0.0/8')),
      ),
      [],
    ),
    {
      env: 'TRUSTED_PROXIES',
      form: 'list',
      docs: 'Addresses or networks of the proxies in front, as 10.0.0.0/8. Their X-Forwarded-For, else Forwarded, is believed.',
    },
  ),
  logClientAddress: setting(v.optional(flag(), true), {
    env: 'LOG_CLIENT_ADDRESS',
    form: 'flag',
    docs: "Write the client's address into the log line of each request.",
  }),
  allowedOrigins: setting(
    v.optional(
      v.array(
        v.pipe(
          v.string(),
          v.transform((value) => value.trim().replace(/\/$/, '')),
          v.check(
            isOrigin,
            'must be an origin as https://chat.example or http://host:port, without a path or wildcard, or *',
          ),
        ),
      ),
      [],
    ),
    {
      env: 'ALLOWED_ORIGINS',
      form: 'list',
      docs: 'Origins of the web pages that may call, as https://chat.example. Default: any, if callers use their own keys. This restricts browsers only: a program can send any Origin header.',
    },
  ),
  publicRelay: setting(v.optional(flag(), false), {
    env: 'PUBLIC_RELAY',
    form: 'flag',
    docs: 'true allows a server-side key without ACCESS_KEYS and ALLOWED_ORIGINS. Anyone who reaches the gateway can then spend it.',
  }),
  publicUrl: setting(v.optional(httpUrl()), {
    env: 'PUBLIC_URL',
    olderEnv: ['UPLOAD_BASE_URL'],
    docs: 'Public address of this gateway. Links to pictures and files begin with it. Default: the address of the request.',
  }),
  apiPrefix: setting(
    v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\/?([\w.~-]+(\/[\w.~-]+)*)?\/?$/, 'must be a path of letters, digits and -._~'),
        v.transform((value) => value.replace(/^\/|\/$/g, '')),
      ),
      '',
    ),
    {
      env: 'API_PREFIX',
      docs: 'Serve the API under /API_PREFIX/v1/... instead of /v1/...',
    },
  ),
  dataDir: setting(v.optional(text(), './data'), {
    env: 'DATA_DIR',
    onlyOn: 'node',
    docs: 'Folder for pictures, files and the cache. It is created on first use. Node only. Workers use R2 and KV.',
  }),
  s3: setting(v.optional(s3), {
    onlyOn: 'node',
    docs: 'An S3-compatible store for pictures and files, used instead of the data folder. See the fields below for the environment names. Node only. Workers use R2.',
  }),
  redisUrl: setting(
    v.optional(v.pipe(v.string(), v.regex(/^rediss?:\/\/\S+$/, 'must be an address as redis://host:6379'))),
    {
      env: 'REDIS_URL',
      onlyOn: 'node',
      secret: true,
      docs: 'Redis for the cache, as redis://host:6379. Several gateways can share it. Node only.',
    },
  ),
  r2Domain: setting(v.optional(publicDomain()), {
    env: 'R2_DOMAIN',
    docs: 'Public domain of the R2 bucket, with or without https://. Links to pictures then lead to R2 instead of the gateway.',
  }),
  upstreamLinks: setting(v.optional(flag(), false), {
    env: 'UPSTREAM_LINKS',
    olderEnv: ['USE_OAIUSERCONTENT_URL'],
    form: 'flag',
    docs: "Return the upstream's own links instead of storing pictures and files. These links expire soon.",
  }),
  storedDays: setting(v.optional(v.pipe(v.number(), v.minValue(0, 'must be 0 or more days')), 0), {
    env: 'STORED_DAYS',
    form: 'number',
    docs: 'Days after which stored pictures and files are deleted. 0: never.',
  }),
  storedBytes: setting(v.optional(bytes(), 9 * 1024 ** 3), {
    env: 'STORED_BYTES',
    form: 'bytes',
    docs: 'Total size of stored pictures and files, in bytes, or as 9GiB. The oldest are deleted down to 90 % of it. Above it nothing is stored. 0: no limit.',
  }),
  uploadedBytes: setting(v.optional(bytes(), 1024 ** 3), {
    env: 'UPLOADED_BYTES',
    form: 'bytes',
    docs: 'Total size of the files of one key under /v1/files, in bytes, or as 1GiB. 0: no limit.',
  }),
  maxStoredBytes: setting(v.optional(bytes(), 512 * 1024 ** 2), {
    env: 'MAX_STORED_BYTES',
    form: 'bytes',
    docs: 'Largest picture or file of an answer that is stored, in bytes, or as 512MiB.',
  }),
  maxFileBytes: setting(v.optional(bytes(), 32 * 1024 ** 2), {
    env: 'MAX_FILE_BYTES',
    form: 'bytes',
    docs: 'Largest picture or file that a caller may send as input, in bytes, or as 32MiB.',
  }),
  fileFetchAllow: setting(
    v.optional(
      v.array(
        v.pipe(
          v.string(),
          v.toLowerCase(),
          v.regex(/^(\[[0-9a-f:.]+\]|[^\s:/]+):\d{1,5}$/, 'must be host:port'),
        ),
      ),
      [],
    ),
    {
      env: 'FILE_FETCH_ALLOW',
      form: 'list',
      docs: 'Private addresses that files may be fetched from, as host:port.',
    },
  ),
  imagePromptPrefix: setting(v.optional(v.string(), ''), {
    env: 'IMAGE_PROMPT_PREFIX',
    docs: 'Text that is put before the prompt of /v1/images/* on a backend-api upstream.',
  }),
  keepAlive: setting(v.optional(seconds(), 25), {
    env: 'KEEPALIVE_SECONDS',
    form: 'number',
    docs: 'Seconds without data on a stream after which a keep-alive is sent. 0: never.',
  }),
  keepAliveStyle: setting(v.optional(v.picklist(['auto', 'comment', 'chunk']), 'auto'), {
    env: 'KEEPALIVE_STYLE',
    docs: 'What a keep-alive is. auto: an empty chunk on chat streams, a ping on /v1/messages, a comment elsewhere. comment: always a comment. chunk: an empty chunk on chat streams, a comment elsewhere.',
  }),
  watch: setting(v.optional(v.picklist(['start', 'whole']), 'start'), {
    env: 'WATCH',
    onlyOn: 'workers',
    docs: 'Workers only. start: only the beginning of a relayed response passes through JavaScript, then the runtime carries it unseen, which costs a tenth of the CPU. whole: all of it, so that IDLE_TIMEOUT and keep-alives hold to its end, and its bytes are counted.',
  }),
  connectTimeout: setting(v.optional(seconds(), 10), {
    env: 'CONNECT_TIMEOUT',
    onlyOn: 'node',
    form: 'number',
    docs: 'Seconds to connect to an upstream. 0: no limit. Node only. On Workers, FIRST_BYTE_TIMEOUT covers it.',
  }),
  firstByteTimeout: setting(v.optional(seconds(), 120), {
    env: 'FIRST_BYTE_TIMEOUT',
    form: 'number',
    docs: 'Seconds until an upstream sends its response headers. 0: no limit.',
  }),
  idleTimeout: setting(v.optional(seconds(), 120), {
    env: 'IDLE_TIMEOUT',
    form: 'number',
    docs: 'Seconds between two chunks of an upstream response. 0: no limit.',
  }),
  totalTimeout: setting(v.optional(seconds(), 0), {
    env: 'TOTAL_TIMEOUT',
    form: 'number',
    docs: 'Seconds for a whole request. 0: no limit.',
  }),
  maxBodyBytes: setting(v.optional(bytes(), 32 * 1024 * 1024), {
    env: 'MAX_BODY_BYTES',
    form: 'bytes',
    docs: 'Largest request body that is read into memory for conversion, in bytes, or as 32MiB. A larger one gets a 413.',
  }),
  maxRelayBytes: setting(v.optional(bytes(), 0), {
    env: 'MAX_RELAY_BYTES',
    form: 'bytes',
    docs: 'Largest request body that is relayed, in bytes, or as 1GiB. 0: no limit, since relayed bodies are streamed and use no memory.',
  }),
  httpsProxy: setting(v.optional(proxyUrl()), {
    env: 'HTTPS_PROXY',
    onlyOn: 'node',
    olderEnv: ['https_proxy'],
    secret: true,
    docs: 'Proxy for connections to https:// upstreams and files, as http://host:port or socks5://host:port. Addresses of this machine are always reached directly. Node only.',
  }),
  httpProxy: setting(v.optional(proxyUrl()), {
    env: 'HTTP_PROXY',
    onlyOn: 'node',
    olderEnv: ['http_proxy'],
    secret: true,
    docs: 'Proxy for connections to http:// upstreams and files. Node only.',
  }),
  noProxy: setting(v.optional(v.string(), ''), {
    env: 'NO_PROXY',
    onlyOn: 'node',
    olderEnv: ['no_proxy'],
    docs: 'Hosts that are reached without the proxy, separated by commas: example.com also covers its subdomains, * means all. Node only.',
  }),
  maxHeldBytes: setting(v.optional(bytes(), 128 * 1024 ** 2), {
    env: 'MAX_HELD_BYTES',
    form: 'bytes',
    docs: 'Most bytes of request bodies in memory at once; half of it for one caller. Beyond it: 503 or 429. 0 for any.',
  }),
  modelsCacheSeconds: setting(v.optional(seconds(), 60), {
    env: 'MODELS_CACHE_SECONDS',
    form: 'number',
    docs: 'Seconds for which the model list of an upstream is cached, separately for each key.',
  }),
  retries: setting(v.optional(countUpTo(5), 0), {
    env: 'RETRIES',
    form: 'number',
    docs: 'Extra attempts for a request that failed before its first byte, after every key and upstream was tried once. A lost connection is always retried once.',
  }),
  maxConcurrent: setting(v.optional(count(), 0), {
    env: 'MAX_CONCURRENT',
    form: 'number',
    docs: 'Requests that are served at the same time. More get a 503. 0: no limit.',
  }),
  maxConcurrentPerCaller: setting(v.optional(count(), 0), {
    env: 'MAX_CONCURRENT_PER_CALLER',
    form: 'number',
    docs: 'Requests with the same key at the same time. More get a 429. 0: no limit.',
  }),
  workers: setting(v.optional(countUpTo(256, 1), 1), {
    env: 'WORKERS',
    onlyOn: 'node',
    olderEnv: ['PROCESS_WORKERS'],
    form: 'number',
    docs: 'Number of processes that share the port. One that ends is started again. Node only.',
  }),
  reusePort: setting(v.optional(flag(), false), {
    env: 'REUSE_PORT',
    onlyOn: 'node',
    form: 'flag',
    docs: 'Let another process listen on the same port, so that a new version can start before the old one stops. Node only.',
  }),
  drainTimeout: setting(v.optional(seconds(), 30), {
    env: 'DRAIN_TIMEOUT',
    onlyOn: 'node',
    form: 'number',
    docs: 'Seconds that open requests get to finish after SIGTERM. Node only.',
  }),
  metricsKey: setting(v.optional(key()), {
    secret: true,
    env: 'METRICS_KEY',
    onlyOn: 'node',
    docs: 'Key for /metrics (Prometheus format), sent as a bearer token. Without it there are no metrics. Node only.',
  }),
  logLevel: setting(
    v.optional(
      v.pipe(
        v.string(),
        v.transform(logLevel),
        v.picklist(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
      ),
      'info',
    ),
    {
      env: 'LOG_LEVEL',
      docs: 'Lowest level that is logged: debug, info, warn or error.',
    },
  ),
});

export type Settings = v.InferOutput<typeof settingsSchema>;

function isOrigin(value: string): boolean {
  if (value === '*') return true;
  const url = URL.parse(value);
  return url !== null && url.origin === value.toLowerCase() && !url.hostname.includes('*');
}

function isNetwork(value: string): boolean {
  if (value.includes('/')) return ipaddr.isValidCIDR(value);
  return value.includes(':') ? ipaddr.IPv6.isValid(value) : ipaddr.IPv4.isValidFourPartDecimal(value);
}

/** A setting as `--help` and the docs describe it. */
export type Described = About & { readonly key: string; readonly default: unknown };

/** Every top-level setting with its description, in the order of declaration. */
export function describeSettings(): readonly Described[] {
  return Object.entries(settingsSchema.entries).flatMap(([key, schema]) => {
    if (key === '$schema') return [];
    const about = v.getMetadata(schema) as unknown as About;
    return [{ key, default: v.getDefaults(settingsSchema)[key as keyof Settings], ...about }];
  });
}
