import * as v from 'valibot';
import { type About, bytes, count, httpUrl, key, name, seconds, setting, text } from './values.ts';

/** Fields of every upstream. */
export const anyUpstream = {
  timeouts: setting(
    v.optional(
      v.strictObject({
        connect: v.optional(seconds()),
        firstByte: v.optional(seconds()),
        idle: v.optional(seconds()),
        total: v.optional(seconds()),
      }),
      {},
    ),
    {
      docs: 'Timers of this upstream in seconds, instead of the general ones: connect, firstByte, idle, total.',
    },
  ),
  concurrency: setting(v.optional(count(), 0), {
    docs: 'Requests that it gets at the same time. 0: no limit.',
  }),
  queue: setting(v.optional(count(), 100), {
    onlyOn: 'node',
    docs: 'Requests that may wait while concurrency is reached. More get a 503. On Workers there is no queue.',
  }),
  queueSeconds: setting(v.optional(seconds(), 30), {
    onlyOn: 'node',
    docs: 'Seconds that a request waits in the queue at most. On Workers there is no queue.',
  }),
  whenCallerLeaves: setting(
    v.optional(
      v.union(
        [
          v.literal('cancel'),
          v.strictObject({ seconds: seconds(), bytes: v.optional(bytes(), 16 * 1024 ** 2) }),
        ],
        'must be "cancel", or {"seconds": n, "bytes": n} to read the answer to its end within these limits',
      ),
      'cancel',
    ),
    {
      docs: 'What happens to the upstream request when the caller disconnects: "cancel", or {"seconds": 30, "bytes": 1000000} to read on within these limits.',
    },
  ),
};

/** The fields of every upstream, with their descriptions. */
export function describeUpstreamFields(): readonly (About & { readonly key: string })[] {
  return Object.entries(anyUpstream).map(([key, schema]) => ({
    key,
    ...(v.getMetadata(schema) as unknown as About),
  }));
}

/** An upstream with the OpenAI API. */
export const openaiUpstream = v.strictObject({
  kind: v.literal('openai'),
  url: setting(httpUrl(), {
    docs: 'Base URL, with or without /v1. A URL that ends with # is used exactly as it is, without the #.',
  }),
  keys: setting(v.optional(v.array(key()), []), {
    secret: true,
    docs: 'Server-side keys, used in turn. "key": "..." sets a single one. Without any, the key of the caller is sent.',
  }),
  models: setting(v.optional(v.pipe(v.array(text()), v.minLength(1, 'must name a model, or be left out'))), {
    docs: 'Models that it serves: names, or beginnings followed by *. Default: any model.',
  }),
  ...anyUpstream,
});

/** An upstream with the backend-api of the ChatGPT web app. */
export const backendUpstream = v.strictObject({
  kind: v.literal('backend-api'),
  url: setting(httpUrl(), { docs: 'Address, without the prefix.' }),
  prefix: setting(
    v.optional(
      v.pipe(
        v.union([v.string(), v.array(v.string())], 'must be a path prefix, or a list of them'),
        v.transform((value) =>
          (typeof value === 'string' ? [value] : value).map((each) =>
            each.split('/').filter(Boolean).join('/'),
          ),
        ),
        v.check((list) => list.every((each) => /^[\w.~/-]*$/.test(each)), 'must be letters, digits and -._~'),
      ),
      [],
    ),
    { docs: 'Path prefix before /backend-api, or a list of prefixes that are used in turn.' },
  ),
  keys: setting(v.optional(v.array(key()), []), {
    secret: true,
    docs: 'Server-side keys, used in turn. Without any, the key of the caller is sent.',
  }),
  ...anyUpstream,
});

/** One upstream of an entry under `models`. */
export const modelChoice = {
  upstream: setting(name(), { docs: 'Name of the upstream that serves the model.' }),
  model: setting(v.optional(text()), { docs: 'Name of the model at that upstream. Default: the same name.' }),
};

/** An entry under `models`: one upstream, or several. */
export const modelEntry = v.union(
  [
    v.strictObject(modelChoice),
    v.strictObject({
      upstreams: setting(
        v.pipe(
          v.array(
            v.strictObject({
              ...modelChoice,
              weight: setting(v.optional(v.pipe(v.number(), v.minValue(0, 'must be 0 or more'))), {
                docs: 'Share of the requests. An upstream without a weight is only used when the others fail.',
              }),
            }),
          ),
          v.minLength(1, 'must name an upstream'),
        ),
        { docs: 'Several upstreams, used in this order or by weight.' },
      ),
    }),
  ],
  'must be {"upstream": name} or {"upstreams": [{"upstream": name}, ...]}',
);
