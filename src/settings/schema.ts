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
  name,
  seconds,
  setting,
  text,
} from './values.ts';

/** Where an S3-compatible store is, and who we are there. */
const s3 = () =>
  v.strictObject({
    endpoint: setting(httpUrl(), { docs: 'Its address, without the bucket.' }),
    bucket: setting(text(), { docs: 'The bucket.' }),
    region: setting(v.optional(text(), 'us-east-1'), { docs: 'The region.' }),
    accessKey: setting(text(), { docs: 'The access key id.' }),
    secretKey: setting(text(), { docs: 'The secret access key.' }),
    pathStyle: setting(v.optional(flag(), true), {
      docs: 'Whether the bucket is named in the path; else it is in the host.',
    }),
  });

/** Every setting, declared once: the file, the environment, `--help`, the JSON Schema and the docs are made from this. */
export const settingsSchema = v.strictObject({
  $schema: v.optional(v.string()),
  host: setting(v.optional(text(), '127.0.0.1'), {
    env: 'HOST',
    onlyOn: 'node',
    docs: 'Address to listen on. 127.0.0.1 is this machine alone, 0.0.0.0 every network it is in. Node only.',
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
      docs: 'Upstreams by name. With none at all, the built-in emulator answers. OPENAI_BASE_URL and OPENAI_API_KEY make one named "openai".',
    },
  ),
  models: setting(v.optional(v.record(text(), modelEntry), {}), {
    docs: 'Model names of your own, each with the upstream that serves it and its name there.',
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
      docs: 'GPTs by the model name they get, each with its id, as in gpts.json.',
    },
  ),
  gptsFile: setting(v.optional(text(), './gpts.json'), {
    env: 'GPTS_FILE',
    onlyOn: 'node',
    docs: 'A file of GPTs, as {"my-gpt": {"id": "g-abc"}}; read where it stands. Not on Workers, which have no files.',
  }),
  keyForGptsInfo: setting(v.optional(key()), {
    env: 'KEY_FOR_GPTS_INFO',
    docs: "A key that may read the descriptions of GPTs; they go along with a GPT's conversations.",
  }),
  hideConversations: setting(v.optional(flag(), true), {
    env: 'HIDE_CONVERSATIONS',
    form: 'flag',
    docs: 'Hide a backend-api conversation once it is answered, also where the caller left or it failed.',
  }),
  historyDisabled: setting(v.optional(flag(), false), {
    env: 'HISTORY_DISABLED',
    form: 'flag',
    docs: 'Hold backend-api conversations as temporary chats. Their answers cannot be continued, and their files not be fetched.',
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
    docs: 'How often a backend-api answer that was cut for length is asked to go on; 0 for never.',
  }),
  alwaysAllowActions: setting(v.optional(flag(), false), {
    env: 'ALWAYS_ALLOW_ACTIONS',
    form: 'flag',
    docs: 'Let the actions of GPTs go ahead where they ask first.',
  }),
  nonStreamKeepAlive: setting(v.optional(flag(), false), {
    env: 'NON_STREAM_KEEPALIVE',
    form: 'flag',
    docs: 'Send spaces while a converted answer that is not streamed is awaited. Its status is 200 by then, whatever comes.',
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
      docs: 'Milliseconds between two pieces of a converted stream; 0 sends them as they come.',
    },
  ),
  botMode: setting(
    v.optional(
      v.strictObject({
        enabled: v.optional(flag(), true),
        markdownImages: v.optional(flag(), false),
        plainImageLinks: v.optional(flag(), false),
        citations: v.optional(flag(), false),
        toolOutput: v.optional(flag(), false),
      }),
      { enabled: false },
    ),
    { docs: 'For bots that show plain text: what is not switched on here is left out of converted answers.' },
  ),
  accessKeys: setting(v.optional(v.array(accessKey()), []), {
    env: 'ACCESS_KEYS',
    form: 'list',
    docs: 'Keys of which a caller must present one. An entry may be name=key: logs show the name. They never reach an upstream.',
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
          v.check(isOrigin, 'must be origins: scheme://host[:port], without a path or wildcard, or *'),
        ),
      ),
      [],
    ),
    {
      env: 'ALLOWED_ORIGINS',
      form: 'list',
      docs: 'Browser origins that may call. Default: any if callers bring their own keys. A program can send any origin: this stops pages, not programs.',
    },
  ),
  publicRelay: setting(v.optional(flag(), false), {
    env: 'PUBLIC_RELAY',
    form: 'flag',
    docs: 'Allow a server-side key without access keys or origins: anyone may spend it.',
  }),
  publicUrl: setting(v.optional(httpUrl()), {
    env: 'PUBLIC_URL',
    olderEnv: ['UPLOAD_BASE_URL'],
    docs: 'How callers reach this gateway, where that is not the address it listens on.',
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
      docs: 'Serve under /API_PREFIX/v1/... instead of /v1/...',
    },
  ),
  dataDir: setting(v.optional(text(), './data'), {
    env: 'DATA_DIR',
    onlyOn: 'node',
    docs: 'The folder of the embedded storage: pictures, files, the cache. Made when it is first needed. Not on Workers, which have R2 and KV.',
  }),
  s3: setting(v.optional(s3()), {
    onlyOn: 'node',
    docs: 'An S3-compatible store for pictures and files, instead of the data folder. S3_ENDPOINT and its fellows set it without a file. Not on Workers, which have R2.',
  }),
  redisUrl: setting(
    v.optional(v.pipe(v.string(), v.regex(/^rediss?:\/\/\S+$/, 'must be an address as redis://host:6379'))),
    {
      env: 'REDIS_URL',
      onlyOn: 'node',
      docs: 'A Redis for the cache, which several machines can share. Node only.',
    },
  ),
  r2Domain: setting(v.optional(text()), {
    env: 'R2_DOMAIN',
    docs: 'The domain under which R2 itself serves the bucket; links then name it instead of the gateway.',
  }),
  upstreamLinks: setting(v.optional(flag(), false), {
    env: 'UPSTREAM_LINKS',
    olderEnv: ['USE_OAIUSERCONTENT_URL'],
    form: 'flag',
    docs: "Hand out the upstream's own links, which live for a short time, instead of storing pictures and files.",
  }),
  storedDays: setting(v.optional(v.pipe(v.number(), v.minValue(0, 'must be 0 or more days')), 0), {
    env: 'STORED_DAYS',
    form: 'number',
    docs: 'Days after which stored pictures and files are deleted; 0 for never.',
  }),
  storedBytes: setting(v.optional(bytes(), 9 * 1024 ** 3), {
    env: 'STORED_BYTES',
    form: 'bytes',
    docs: 'Most bytes that stored pictures and files may take together. The oldest are deleted down to 90 % of it; beyond it nothing is stored. 0 for any number.',
  }),
  uploadedBytes: setting(v.optional(bytes(), 1024 ** 3), {
    env: 'UPLOADED_BYTES',
    form: 'bytes',
    docs: 'Most bytes that the files of one key under /v1/files may take, in bytes, or as 1GiB. 0 for any number.',
  }),
  maxStoredBytes: setting(v.optional(bytes(), 512 * 1024 ** 2), {
    env: 'MAX_STORED_BYTES',
    form: 'bytes',
    docs: 'Largest picture or file that is stored, in bytes, or as 512MiB.',
  }),
  maxFileBytes: setting(v.optional(bytes(), 32 * 1024 ** 2), {
    env: 'MAX_FILE_BYTES',
    form: 'bytes',
    docs: 'Largest picture or file that a caller may send into a conversation, in bytes, or as 32MiB.',
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
      docs: 'Private addresses that files may be fetched from all the same, as host:port.',
    },
  ),
  imagePromptPrefix: setting(v.optional(v.string(), ''), {
    env: 'IMAGE_PROMPT_PREFIX',
    docs: 'Words put before the prompt of /v1/images/* on a backend-api upstream.',
  }),
  keepAlive: setting(v.optional(seconds(), 25), {
    env: 'KEEPALIVE_SECONDS',
    form: 'number',
    docs: 'Seconds of silence on a stream after which a keep-alive is sent; 0 for never.',
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
    docs: 'Seconds to connect to an upstream; 0 for no limit. Not on Workers, which have no such timer.',
  }),
  firstByteTimeout: setting(v.optional(seconds(), 120), {
    env: 'FIRST_BYTE_TIMEOUT',
    form: 'number',
    docs: "Seconds to the head of an upstream's answer; 0 for no limit.",
  }),
  idleTimeout: setting(v.optional(seconds(), 120), {
    env: 'IDLE_TIMEOUT',
    form: 'number',
    docs: "Seconds between two pieces of an upstream's answer; 0 for no limit.",
  }),
  totalTimeout: setting(v.optional(seconds(), 0), {
    env: 'TOTAL_TIMEOUT',
    form: 'number',
    docs: 'Seconds for a whole answer; 0 for no limit.',
  }),
  maxBodyBytes: setting(v.optional(bytes(), 32 * 1024 * 1024), {
    env: 'MAX_BODY_BYTES',
    form: 'bytes',
    docs: 'Largest request body that is read into memory, in bytes, or as 32MiB. Beyond it: 413.',
  }),
  maxRelayBytes: setting(v.optional(bytes(), 0), {
    env: 'MAX_RELAY_BYTES',
    form: 'bytes',
    docs: 'Largest request body that is relayed; 0 for any. Relayed bodies stream and take no memory.',
  }),
  maxHeldBytes: setting(v.optional(bytes(), 128 * 1024 ** 2), {
    env: 'MAX_HELD_BYTES',
    form: 'bytes',
    docs: 'Most bytes of request bodies in memory at once; half of it for one caller. Beyond it: 503 or 429. 0 for any.',
  }),
  modelsCacheSeconds: setting(v.optional(seconds(), 60), {
    env: 'MODELS_CACHE_SECONDS',
    form: 'number',
    docs: "Seconds for which an upstream's model list is remembered, for each key.",
  }),
  retries: setting(v.optional(countUpTo(5), 0), {
    env: 'RETRIES',
    form: 'number',
    docs: 'How often a request that failed before its first byte is tried again, after every other key and upstream was. A lost connection is tried once more in any case.',
  }),
  maxConcurrent: setting(v.optional(count(), 0), {
    env: 'MAX_CONCURRENT',
    form: 'number',
    docs: 'Most requests that are served at once; beyond it: 503. 0 for any number.',
  }),
  maxConcurrentPerCaller: setting(v.optional(count(), 0), {
    env: 'MAX_CONCURRENT_PER_CALLER',
    form: 'number',
    docs: 'Most requests at once with the same key; beyond it: 429. 0 for any number.',
  }),
  workers: setting(v.optional(countUpTo(256, 1), 1), {
    env: 'WORKERS',
    onlyOn: 'node',
    form: 'number',
    docs: 'Processes that share the port; one that dies is started again. Node only.',
  }),
  reusePort: setting(v.optional(flag(), false), {
    env: 'REUSE_PORT',
    onlyOn: 'node',
    form: 'flag',
    docs: 'Let another process listen on the same port, so that a new version can start before the old one ends. Node only.',
  }),
  drainTimeout: setting(v.optional(seconds(), 30), {
    env: 'DRAIN_TIMEOUT',
    onlyOn: 'node',
    form: 'number',
    docs: 'Seconds that open answers get after SIGTERM. Node only.',
  }),
  metricsKey: setting(v.optional(key()), {
    env: 'METRICS_KEY',
    onlyOn: 'node',
    docs: 'The key by which /metrics may be read, in the format of Prometheus; without one nothing is counted. Not on Workers, whose processes come and go.',
  }),
  logLevel: setting(
    v.optional(v.picklist(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'), 'info'),
    {
      env: 'LOG_LEVEL',
      docs: 'Least serious log line that is written: debug, info, warn or error.',
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

/** A setting as `--help` and the docs tell of it. */
export type Described = About & { readonly key: string; readonly default: unknown };

/** Every top-level setting with what is known of it, in the order of their declaration. */
export function describeSettings(): readonly Described[] {
  return Object.entries(settingsSchema.entries).flatMap(([key, schema]) => {
    if (key === '$schema') return [];
    const about = v.getMetadata(schema) as unknown as About;
    return [{ key, default: v.getDefaults(settingsSchema)[key as keyof Settings], ...about }];
  });
}
