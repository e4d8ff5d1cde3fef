import type { AccessKey, Credentials } from './credentials.ts';
import type { Scope } from './scopes.ts';

/** Limits of one caller; null for none. */
export type CallerLimits = { readonly concurrent: number | null };

/** Who calls. Logs, metrics and limits name a caller by `name` and `keyId`, never by a key. */
export type Caller = {
  /** Different for every caller of this gateway. */
  readonly id: string;
  readonly name: string;
  /** Which key the caller presented; null if the gateway has none. */
  readonly keyId: string | null;
  readonly scopes: readonly Scope[];
  /** Globs of the models the caller may ask for; null for all. */
  readonly models: readonly string[] | null;
  readonly limits: CallerLimits;
};

const unlimited: CallerLimits = { concurrent: null };

/**
 * A caller without a key of this gateway. Its own key, if it has one, is judged by the upstream.
 */
export const anonymous: Caller = {
  id: 'anonymous',
  name: 'anonymous',
  keyId: null,
  scopes: ['all'],
  models: null,
  limits: unlimited,
};

/**
 * A program on the machine of the owner, which uses the server-side key of a gateway on loopback.
 */
export const owner: Caller = { ...anonymous, id: 'owner', name: 'owner' };

/** The callers that the settings name, made once: identifying a request makes no object. */
export type Callers = {
  readonly byKey: ReadonlyMap<string, Caller>;
  /** A caller who presents no key of this gateway. */
  readonly withoutKey: Caller;
};

type CallerSettings = {
  readonly accessKeys: readonly AccessKey[];
  readonly accessScopes: readonly Scope[];
};

/** What decides who a caller without an access key is. */
type Guard = {
  /** Whether an upstream has a server-side key. */
  readonly serverKey: boolean;
  /** Whether only programs on this machine are let in. */
  readonly isLocalOnly: boolean;
};

/**
 * Makes the callers of the settings: one for each access key, and one for those without. Without
 * access keys a server-side key is spent by the owner, or by anyone, within ACCESS_SCOPES.
 */
export function createCallers({ accessKeys, accessScopes }: CallerSettings, guard: Guard): Callers {
  const byKey = new Map<string, Caller>();
  accessKeys.forEach(({ name, key }, i) => {
    const id = name ?? `access-key-${i + 1}`;
    byKey.set(key, { id, name: id, keyId: id, scopes: accessScopes, models: null, limits: unlimited });
  });
  if (guard.isLocalOnly) return { byKey, withoutKey: owner };
  return { byKey, withoutKey: guard.serverKey ? { ...anonymous, scopes: accessScopes } : anonymous };
}

/**
 * Who presents these credentials. An access key in them was judged by `readCredentials`. A caller
 * without one who sends the upstream's key in `x-openai-key` uses no account but its own.
 */
export function identify(credentials: Credentials, callers: Callers): Caller {
  const { accessKey, openaiKey } = credentials;
  if (accessKey !== null) return callers.byKey.get(accessKey) ?? callers.withoutKey;
  return openaiKey !== null ? anonymous : callers.withoutKey;
}
