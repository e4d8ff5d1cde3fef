import { keyFor, type UpstreamKey } from '../../access/credentials.ts';
import type { Call } from '../../call.ts';
import { Failure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AttemptResult, Timeouts } from '../../relay/relay.ts';
import { countFurtherAttempt } from '../attempts.ts';
import { type Client, createClient } from './client.ts';

/** One address of a conversation upstream, with one of its keys. */
export type Endpoint = {
  /** What its health is stored under. */
  readonly id: string;
  connect(): Client;
  readonly key: UpstreamKey;
  /** The team's account, if the caller named one. */
  readonly account: string | null;
};

type EndpointSettings = {
  readonly name: string;
  readonly bases: readonly string[];
  readonly keys: readonly string[] | null;
  readonly timeouts: Timeouts;
};

/**
 * Makes the endpoints of an upstream for one call: its keys in turn, its addresses in turn. A
 * caller's own key has as many endpoints as there are addresses. Throws a 401 if there is no key.
 */
export function createEndpoints({ name, bases, keys, timeouts }: EndpointSettings, ports: Ports) {
  let turn = 0;
  const keySetting = name === 'backend' ? 'BACKEND_API_KEY' : `upstreams.${name}.key`;
  return (call: Call): readonly Endpoint[] => {
    const first = turn++;
    const known = keys === null ? [null] : keys.length > 0 ? keys : [undefined];
    const count = call.credentials.openaiKey === null ? Math.max(known.length, bases.length) : bases.length;
    return Array.from({ length: count }, (_, i) => {
      const [keyIndex, baseIndex] = [(first + i) % known.length, (first + i) % bases.length];
      const { key, account } = withAccount(
        keyFor(call.credentials, known[keyIndex], keySetting),
        call.incoming.head.get('chatgpt-account-id') ?? null,
      );
      const base = bases[baseIndex] as string;
      const onRetry = () => countFurtherAttempt(call.record);
      const connect = () => createClient({ base, key, account, timeouts, onRetry }, ports);
      return { id: count > 1 ? `${name}#${keyIndex}.${baseIndex}` : name, connect, key, account };
    });
  };
}

/**
 * The account of a team, which only a caller with their own key may choose. Clients that can send
 * no header write it behind the key, as `TOKEN,ACCOUNT_ID`. Neither a token nor an account id holds
 * a comma.
 */
function withAccount(key: UpstreamKey, header: string | null): { key: UpstreamKey; account: string | null } {
  if (!key.own || key.key === null) return { key, account: null };
  const [, token, written] = /^([^,]+),([\w-]{1,100})$/.exec(key.key) ?? [];
  if (token === undefined || written === undefined) return { key, account: header };
  return { key: { ...key, key: token }, account: header ?? written };
}

/** Whether another key or address may do better. A fault of the request would be the same there. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof Failure && ['upstream_error', 'unavailable', 'rate_limit_exceeded'].includes(error.code)
  );
}

/**
 * Whether another upstream may do better. One that timed out used up the time for its own other
 * keys, not for another upstream's.
 */
export function isRetryableElsewhere(error: unknown): boolean {
  return isRetryable(error) || (error instanceof Failure && error.code === 'upstream_timeout');
}

/** What a failure says about the health of its endpoint. */
export function resultOf(error: unknown): AttemptResult {
  if (!(error instanceof Failure)) return 'failed';
  if (error.code === 'rate_limit_exceeded')
    return { coolDownMs: Math.min(Number(error.headers['retry-after'] ?? 5) || 5, 300) * 1000 };
  return isRetryableElsewhere(error) ? 'failed' : 'ok';
}
