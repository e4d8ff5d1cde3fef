import { keyFor } from '../../access/credentials.ts';
import type { Call } from '../../call.ts';
import { type HeaderPairs, headerOf, requestHeaders } from '../../relay/headers.ts';
import { type Hop, Relay, type Timeouts, Tunnel } from '../../relay/relay.ts';
import type { CompatibleUpstream, ModelPatterns } from '../upstream.ts';
import { baseOf } from './base-url.ts';

export type CompatibleSettings = {
  readonly name: string;
  readonly url: string;
  /** Server-side keys, used in turn; empty where callers bring their own; null where the upstream asks for none. */
  readonly keys: readonly string[] | null;
  readonly models: ModelPatterns | null;
  readonly timeouts: Timeouts;
  /** The setting that would hold a key, for the message where none is there. */
  readonly keySetting: string;
};

/** An OpenAI-compatible upstream. It does no I/O: it says how a request is to be carried. */
export function createCompatibleUpstream(settings: CompatibleSettings): CompatibleUpstream {
  const { name, timeouts, models, keys } = settings;
  const base = baseOf(settings.url);
  let turn = 0;

  const serverKey = (): string | null | undefined => {
    if (keys === null) return null;
    return keys.length > 0 ? keys[turn++ % keys.length] : undefined;
  };

  const hopTo = (call: Call, path: string): Hop => {
    const { key, own } = keyFor(call.credentials, serverKey(), settings.keySetting);
    return {
      upstream: name,
      origin: base.origin,
      path: base.pathFor(path) + call.search,
      headers: requestHeaders(call.incoming.head.pairs, key, own),
    };
  };

  return {
    kind: 'openai',
    name,
    models,
    relay(call, method, path, body) {
      const hop = hopTo(call, path);
      if (body === null) return new Relay(method, hop, null, timeouts);
      if (body !== 'incoming')
        return new Relay(method, { ...hop, headers: asJson(hop.headers) }, body, timeouts);
      const length = headerOf(call.incoming.head.pairs, 'content-length');
      const headers = length === undefined ? hop.headers : [...hop.headers, 'content-length', length];
      return new Relay(method, { ...hop, headers }, call.incoming.hasBody ? body : null, timeouts);
    },
    tunnel: (call) => new Tunnel(hopTo(call, call.path), timeouts),
  };
}

/** Headers of a body that was read and understood: it is JSON, whatever the caller called it. */
function asJson(headers: HeaderPairs): HeaderPairs {
  if (/^application\/json\b/i.test(headerOf(headers, 'content-type') ?? '')) return headers;
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== 'content-type')
      kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return [...kept, 'content-type', 'application/json'];
}
