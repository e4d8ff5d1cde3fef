import { Failure } from '../http/failure.ts';
import { keyProtocol, type RawHeaders } from '../http/headers.ts';
import { equalInConstantTime } from './constant-time.ts';

/** What a caller presented, sorted. An access key is for us alone; the others may reach an upstream. */
export type Credentials = {
  /** The access key, where the caller presented a valid one. */
  readonly accessKey: string | null;
  /** The caller's own key for the upstream; never an access key. */
  readonly ownKey: string | null;
  /** The key of `x-openai-key`, which goes before every other. */
  readonly openaiKey: string | null;
};

type Presented = { key: string | null; openaiKey: string | null };

const maxKeyLength = 16_384;

/**
 * The keys of a request, from every place a client may put one. Two different keys are refused rather than guessed between.
 */
function presentedKeys(pairs: RawHeaders): Presented {
  let key: string | null = null;
  let openaiKey: string | null = null;
  const offer = (value: string, from: string): void => {
    const candidate = checked(value, from);
    if (candidate === null) return;
    if (key !== null && key !== candidate) throw conflicting();
    key = candidate;
  };
  for (let i = 0; i < pairs.length; i += 2) {
    const value = pairs[i + 1] as string;
    switch ((pairs[i] as string).toLowerCase()) {
      case 'authorization':
        offer(bearer(value), 'Authorization');
        break;
      case 'x-api-key':
      case 'api-key':
        offer(value, pairs[i] as string);
        break;
      case 'sec-websocket-protocol':
        for (const protocol of value.split(/\s*,\s*/)) {
          if (protocol.startsWith(keyProtocol))
            offer(protocol.slice(keyProtocol.length), 'WebSocket subprotocol');
        }
        break;
      case 'x-openai-key': {
        const candidate = checked(value, 'x-openai-key');
        if (openaiKey !== null && candidate !== null && openaiKey !== candidate) throw conflicting();
        openaiKey = candidate ?? openaiKey;
        break;
      }
    }
  }
  return { key, openaiKey };
}

function conflicting(): Failure {
  return new Failure(
    'invalid_request',
    'The request presents two different keys. Send one, in Authorization: Bearer, x-api-key or api-key.',
  );
}

function bearer(value: string): string {
  const match = /^bearer(?:\s+|$)/i.exec(value.trim());
  if (match) return value.trim().slice(match[0].length);
  if (value.trim() === '') return '';
  throw new Failure('invalid_api_key', 'The Authorization header must read: Bearer YOUR_KEY.');
}

/** A key as it may stand in a header again, or null where none was given. */
function checked(value: string, from: string): string | null {
  const key = value.trim();
  if (key === '') return null;
  if (key.length > maxKeyLength || !/^[\x21-\x7e]+$/.test(key)) {
    throw new Failure(
      'invalid_api_key',
      `The key in ${from} is not a key: it is too long or holds spaces or control characters.`,
    );
  }
  if (key.includes(',')) throw conflicting();
  return key;
}

/**
 * Sorts what a caller presented by what it opens. Throws a 400 for conflicting keys and a 401 where access keys are
 * configured and none of them was presented.
 */
export function readCredentials(pairs: RawHeaders, accessKeys: readonly string[]): Credentials {
  const { key, openaiKey } = presentedKeys(pairs);
  if (accessKeys.length === 0) {
    if (key !== null && openaiKey !== null && key !== openaiKey) throw conflicting();
    return { accessKey: null, ownKey: key, openaiKey };
  }
  if (key !== null && isOneOf(key, accessKeys)) {
    // An access key that came as the upstream's key as well must not reach the upstream.
    return {
      accessKey: key,
      ownKey: null,
      openaiKey: openaiKey !== null && isOneOf(openaiKey, accessKeys) ? null : openaiKey,
    };
  }
  throw new Failure(
    'invalid_api_key',
    key === null
      ? 'This gateway asks for an access key. Send one as Authorization: Bearer YOUR_ACCESS_KEY.'
      : 'The key is not one of the access keys of this gateway. Ask its owner for one.',
  );
}

/** Compares with every key, so that the time taken does not tell which one came close. */
function isOneOf(key: string, keys: readonly string[]): boolean {
  let found = false;
  for (const candidate of keys) found = equalInConstantTime(key, candidate) || found;
  return found;
}

/** The key a request goes to its upstream with, and whether it is the caller's own. */
export type UpstreamKey = { readonly key: string | null; readonly own: boolean };

/**
 * Picks the key for an upstream: `x-openai-key`, else the upstream's server-side key, else the caller's own. Throws a 401
 * that names the missing setting where nothing is left. `serverKey` is undefined where none is set, null where none is needed.
 */
export function keyFor(
  credentials: Credentials,
  serverKey: string | null | undefined,
  setting: string,
): UpstreamKey {
  if (credentials.openaiKey !== null) return { key: credentials.openaiKey, own: true };
  if (serverKey !== undefined) return { key: serverKey, own: false };
  if (credentials.ownKey !== null) return { key: credentials.ownKey, own: true };
  throw new Failure(
    'invalid_api_key',
    credentials.accessKey !== null
      ? `No key for the upstream: an access key is not passed on. Set ${setting} at the gateway, or send your own key as x-openai-key.`
      : `No key for the upstream: send yours as Authorization: Bearer YOUR_KEY, or set ${setting} at the gateway.`,
  );
}
