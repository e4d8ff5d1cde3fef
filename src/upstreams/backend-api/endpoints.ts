import { keyFor, type UpstreamKey } from '../../access/credentials.ts';
import type { Call } from '../../call.ts';
import { Failure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptResult } from '../../relay/relay.ts';
import { type Client, createClient } from './client.ts';

/** One way to ask a conversation upstream: through one of its addresses, with one of its keys. */
export type Endpoint = {
  /** What its failures are remembered by. */
  readonly id: string;
  connect(): Client;
  readonly key: UpstreamKey;
  /** The team's account, where the caller named one. */
  readonly account: string | null;
};

type EndpointSettings = {
  readonly name: string;
  readonly bases: readonly string[];
  readonly keys: readonly string[] | null;
  readonly firstByteSeconds: number;
};

/**
 * Makes the ways to ask an upstream: its keys in turn, its addresses in turn. A caller's own key has as many ways as there are addresses.
 * Throws a 401 where there is no key.
 */
export function createEndpoints({ name, bases, keys, firstByteSeconds }: EndpointSettings, ports: Ports) {
  let turn = 0;
  return (call: Call): readonly Endpoint[] => {
    const first = turn++;
    const known = keys === null ? [null] : keys.length > 0 ? keys : [undefined];
    const count = call.credentials.openaiKey === null ? Math.max(known.length, bases.length) : bases.length;
    return Array.from({ length: count }, (_, i) => {
      const [atKey, atBase] = [(first + i) % known.length, (first + i) % bases.length];
      const key = keyFor(call.credentials, known[atKey], `upstreams.${name}.key`);
      const account = key.own ? (call.incoming.head.get('chatgpt-account-id') ?? null) : null;
      const base = bases[atBase] as string;
      const connect = () => createClient({ base, key, account, firstByteSeconds }, ports);
      return { id: count > 1 ? `${name}#${atKey}.${atBase}` : name, connect, key, account };
    });
  };
}

/** Whether another key or address may do better: what is wrong with the request is wrong everywhere. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof Failure && ['upstream_error', 'unavailable', 'rate_limit_exceeded'].includes(error.code)
  );
}

/** Whether another upstream may do better. One that took too long has used up the time for its own other keys, not for theirs. */
export function isRetryableElsewhere(error: unknown): boolean {
  return isRetryable(error) || (error instanceof Failure && error.code === 'upstream_timeout');
}

/** What a failure says of the way it came by. */
export function resultOf(error: unknown): AttemptResult {
  if (!(error instanceof Failure)) return 'failed';
  if (error.code === 'rate_limit_exceeded')
    return { coolDownMs: Math.min(Number(error.headers['retry-after'] ?? 5) || 5, 300) * 1000 };
  return isRetryableElsewhere(error) ? 'failed' : 'ok';
}
