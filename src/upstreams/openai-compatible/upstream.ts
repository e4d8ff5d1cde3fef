import { keyFor } from '../../access/credentials.ts';
import type { Call } from '../../call.ts';
import { headerOf, type RawHeaders, requestHeaders } from '../../http/headers.ts';
import { searchWithout } from '../../http/key-in-text.ts';
import { type Timeouts, Tunnel, type UpstreamRequest, type WhenCallerLeaves } from '../../relay/relay.ts';
import type { Semaphore } from '../../relay/semaphore.ts';
import type { CompatibleUpstream, ModelPatterns } from '../upstream.ts';
import { baseOf } from './base-url.ts';

export type CompatibleSettings = {
  readonly name: string;
  readonly url: string;
  /**
   * Server-side keys, used in turn; empty where callers bring their own; null where the upstream
   * asks for none.
   */
  readonly keys: readonly string[] | null;
  readonly models: ModelPatterns | null;
  readonly timeouts: Timeouts;
  /** The setting that would hold a key, for the message where none is there. */
  readonly keySetting: string;
  readonly whenCallerLeaves: WhenCallerLeaves;
  readonly slots: Semaphore | null;
  /**
   * Headers that are added to each request: the built-in emulator learns by them how callers reach
   * it.
   */
  readonly extraHeaders?: (call: Call) => RawHeaders;
};

/** An OpenAI-compatible upstream. It does no I/O: it says how a request is to be carried. */
export function createCompatibleUpstream(settings: CompatibleSettings): CompatibleUpstream {
  const { name, models, timeouts, whenCallerLeaves, slots } = settings;
  const base = baseOf(settings.url);
  const keys = settings.keys ?? [];
  let turn = 0;

  const hopWith = (
    call: Call,
    path: string,
    body: UpstreamRequest['body'],
    serverKey: string | null | undefined,
    id: string,
  ): { hop: UpstreamRequest; own: boolean } => {
    const { key, own } = keyFor(call.credentials, serverKey, settings.keySetting);
    const { accessKey } = call.credentials;
    const headers = requestHeaders(call.incoming.head.rawHeaders, { key, isOwnKey: own, accessKey });
    headers.push(...(settings.extraHeaders?.(call) ?? []));
    const hop: UpstreamRequest = {
      upstream: name,
      id,
      origin: base.origin,
      path: base.pathFor(path) + searchWithout(call.search, accessKey),
      headers: withBody(headers, call, body),
      body: body === 'incoming' && !call.incoming.hasBody ? null : body,
      timeouts,
      whenCallerLeaves,
      slots,
      secret: own ? null : key,
    };
    return { hop, own };
  };

  return {
    kind: 'openai',
    name,
    models,
    requiresKey: settings.keys?.length === 0 ? settings.keySetting : null,
    requests(call, path, body) {
      // A caller's own key is the only one that may go where it goes: there is nothing to rotate.
      if (settings.keys === null || keys.length === 0 || call.credentials.openaiKey !== null)
        return [hopWith(call, path, body, settings.keys === null ? null : keys[0], name)];
      const first = turn++ % keys.length;
      return keys.map((_, i) => {
        const index = (first + i) % keys.length;
        return hopWith(call, path, body, keys[index], keys.length > 1 ? `${name}#${index}` : name);
      });
    },
    tunnel(call) {
      const serverKey = settings.keys === null ? null : keys[keys.length > 0 ? turn++ % keys.length : 0];
      return new Tunnel(hopWith(call, call.path, null, serverKey, name).hop);
    },
  };
}

/**
 * Headers with what belongs to the body as it is sent: the caller's length, or the type of what was
 * read and understood.
 */
function withBody(headers: string[], call: Call, body: UpstreamRequest['body']): RawHeaders {
  if (body === null) return headers;
  if (body !== 'incoming') return asJson(headers);
  const length = headerOf(call.incoming.head.rawHeaders, 'content-length');
  if (length !== undefined) headers.push('content-length', length);
  return headers;
}

/** Headers of a body that was read and understood: it is JSON, whatever the caller called it. */
function asJson(headers: RawHeaders): RawHeaders {
  if (/^application\/json\b/i.test(headerOf(headers, 'content-type') ?? '')) return headers;
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== 'content-type')
      kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return [...kept, 'content-type', 'application/json'];
}
