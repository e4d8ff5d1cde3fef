import { Failure } from '../http/failure.ts';
import { listItems } from '../http/header-list.ts';
import { isKeyProtocol, keyProtocol, type RawHeaders } from '../http/headers.ts';
import { equalInConstantTime } from './constant-time.ts';

/**
 * What a request presents, sorted. An access key is for the gateway alone; the others may reach an
 * upstream.
 */
export type Credentials = {
  /** The access key, if the request presents a valid one. */
  readonly accessKey: string | null;
  /** The caller's own key for the upstream; never an access key. */
  readonly ownKey: string | null;
  /** The key of `x-openai-key`, which is used before every other. */
  readonly openaiKey: string | null;
};

/** An entry of `ACCESS_KEYS`. Logs and metrics show its name, never its key. */
export type AccessKey = { readonly name: string | null; readonly key: string };

type PresentedKeys = { readonly key: string | null; readonly openaiKey: string | null };

/**
 * Sorts the keys that a request presents. Only a gateway with access keys judges them; without
 * access keys any key is kept as it came. Throws a 400 for two different keys, and a 401 if access
 * keys are configured and the request presents none of them.
 */
export function readCredentials(rawHeaders: RawHeaders, accessKeys: readonly AccessKey[]): Credentials {
  const { key, openaiKey } = presentedKeys(rawHeaders);
  if (accessKeys.length === 0) {
    if (key !== null && openaiKey !== null && key !== openaiKey) throw twoKeys();
    return { accessKey: null, ownKey: key, openaiKey };
  }
  if (key === null) {
    throw new Failure(
      'access_key_required',
      'This gateway requires an access key. Send one as Authorization: Bearer YOUR_ACCESS_KEY.',
    );
  }
  if (!isAccessKey(key, accessKeys)) {
    throw new Failure(
      'invalid_access_key',
      'The key is not one of the access keys of this gateway. Ask its owner for one, and send it as Authorization: Bearer YOUR_ACCESS_KEY.',
    );
  }
  // An access key in x-openai-key must not reach the upstream.
  const isSafe = openaiKey !== null && !isAccessKey(openaiKey, accessKeys);
  return { accessKey: key, ownKey: null, openaiKey: isSafe ? openaiKey : null };
}

/** The keys that a request presented, for redacting them in what is written about it. */
export function secretsOf({ accessKey, ownKey, openaiKey }: Credentials): string[] {
  return [accessKey, ownKey, openaiKey].filter((key) => key !== null);
}

/** Reads the keys from every header a client may put one in. Two different keys are a 400. */
function presentedKeys(rawHeaders: RawHeaders): PresentedKeys {
  let key: string | null = null;
  let openaiKey: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = rawHeaders[i + 1] as string;
    switch (name) {
      case 'authorization':
        key = oneKey(key, bearerToken(value));
        break;
      case 'x-api-key':
      case 'api-key':
        key = oneKey(key, value);
        break;
      case 'sec-websocket-protocol':
        for (const protocol of listItems(value))
          if (isKeyProtocol(protocol)) key = oneKey(key, protocol.slice(keyProtocol.length));
        break;
      case 'x-openai-key':
        openaiKey = oneKey(openaiKey, value);
        break;
    }
  }
  return { key, openaiKey };
}

/** The key so far, or the one of another header. Throws a 400 if both are there and differ. */
function oneKey(known: string | null, value: string): string | null {
  const key = value.trim();
  if (key === '') return known;
  if (!isSendable(key)) {
    throw new Failure('invalid_api_key', 'The key holds control characters. Send the key as it was issued.');
  }
  if (known !== null && known !== key) throw twoKeys();
  return key;
}

/**
 * Whether a text can be the value of a header: no control characters but the tab (RFC 9110 §5.5).
 */
function isSendable(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return false;
  }
  return true;
}

function twoKeys(): Failure {
  return new Failure(
    'invalid_request',
    'The request presents two different keys. Send one, in Authorization: Bearer, x-api-key or api-key.',
  );
}

const bearerScheme = /^bearer(?=\s|$)/i;

/** The token of an Authorization header. A value of another scheme is a credential as a whole. */
function bearerToken(header: string): string {
  const value = header.trim();
  if (!bearerScheme.test(value)) return value;
  // Workers join repeated headers into one list.
  const [, ...others] = listItems(value);
  if (others.some((item) => bearerScheme.test(item))) throw twoKeys();
  return value.slice('bearer'.length).trim();
}

/** Compares with every key, so that the time does not tell which one came close. */
function isAccessKey(key: string, accessKeys: readonly AccessKey[]): boolean {
  let isKnown = false;
  for (const accessKey of accessKeys) isKnown = equalInConstantTime(key, accessKey.key) || isKnown;
  return isKnown;
}

/** The key a request goes to its upstream with, and whether it is the caller's own. */
export type UpstreamKey = { readonly key: string | null; readonly own: boolean };

/**
 * Picks the key for an upstream: `x-openai-key`, else the upstream's server-side key, else the
 * caller's own. `serverKey` is undefined if none is set, null if the upstream needs none. Throws a
 * 401 that names the missing setting if there is no key at all.
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
