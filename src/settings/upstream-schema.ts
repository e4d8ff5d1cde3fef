import * as v from 'valibot';
import { type About, bytes, count, httpUrl, key, name, seconds, setting, text } from './values.ts';

/** What can be said of any upstream. */
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
    { docs: 'Its own timers in seconds, instead of the common ones.' },
  ),
  concurrency: setting(v.optional(count(), 0), {
    docs: 'How many requests it gets at once; 0 for any number.',
  }),
  queue: setting(v.optional(count(), 100), {
    onlyOn: 'node',
    docs: 'How many may wait for their turn if concurrency is limited. Not on Workers, where none waits.',
  }),
  queueSeconds: setting(v.optional(seconds(), 30), {
    onlyOn: 'node',
    docs: 'How long a request waits at most. Not on Workers, where none waits.',
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
      docs: 'What becomes of an answer that nobody waits for any more: cancelled, or read to its end within limits.',
    },
  ),
};

/** The fields that every upstream has, with what is known of each. */
export function describeUpstreamFields(): readonly (About & { readonly key: string })[] {
  return Object.entries(anyUpstream).map(([key, schema]) => ({
    key,
    ...(v.getMetadata(schema) as unknown as About),
  }));
}

/** An upstream that speaks the OpenAI API. */
export const openaiUpstream = v.strictObject({
  kind: v.literal('openai'),
  url: setting(httpUrl(), { docs: 'Its base URL, with or without /v1.' }),
  keys: setting(v.optional(v.array(key()), []), {
    docs: 'Server-side keys of its owner, used in turn; "key" takes a single one. Without any, callers bring their own.',
  }),
  models: setting(v.optional(v.pipe(v.array(text()), v.minLength(1, 'must name a model, or be left out'))), {
    docs: 'The models it is for: names, or beginnings followed by *. Left out: any.',
  }),
  ...anyUpstream,
});

/** An upstream that speaks the ChatGPT web app's backend-api. */
export const backendUpstream = v.strictObject({
  kind: v.literal('backend-api'),
  url: setting(httpUrl(), { docs: 'Its address, without the prefix.' }),
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
    { docs: 'The path prefix before /backend-api, or several that are used in turn.' },
  ),
  keys: setting(v.optional(v.array(key()), []), { docs: 'Server-side keys of its owner, used in turn.' }),
  ...anyUpstream,
});

/** An upstream as an entry names it. */
const choice = {
  upstream: setting(name(), { docs: 'The name of the upstream that serves it.' }),
  model: setting(v.optional(text()), { docs: "The upstream's own name for it; left out: the same." }),
};

/** Who serves a model of the owner's own naming: one upstream, or several. */
export const modelEntry = v.union(
  [
    v.strictObject(choice),
    v.strictObject({
      upstreams: setting(
        v.pipe(
          v.array(
            v.strictObject({
              ...choice,
              weight: setting(v.optional(v.pipe(v.number(), v.minValue(0, 'must be 0 or more'))), {
                docs: 'Its share of the requests; those without one are only asked where the others fail.',
              }),
            }),
          ),
          v.minLength(1, 'must name an upstream'),
        ),
        { docs: 'Several upstreams: in their order, or by weight.' },
      ),
    }),
  ],
  'must be {"upstream": name} or {"upstreams": [{"upstream": name}, ...]}',
);
