import { messageOf } from '../shared/message.ts';

/**
 * What is known about a key. Amounts are in the unit of the upstream, mostly dollars; null if it
 * does not tell.
 */
export type Balance = {
  readonly key: string;
  /**
   * `dead`: refused by the upstream. `empty`: nothing remains. `expired`: its time is over.
   * `untold`: no balance is given.
   */
  readonly state: 'ok' | 'empty' | 'expired' | 'dead' | 'untold' | 'failed';
  readonly plan: string | null;
  readonly newestModel: string | null;
  readonly granted: number | 'unlimited' | null;
  readonly used: number | null;
  readonly remaining: number | 'unlimited' | null;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
  /** The upstream's message, if it refused. */
  readonly message: string | null;
};

/** Sends a request with the key. Returns the status (0 if there was no response) and the JSON. */
export type Ask = (path: string) => Promise<{ status: number; body: unknown }>;

type Fields = Readonly<Record<string, unknown>>;

/** The limit that one-api reports for a key without one. */
const oneApiUnlimited = 100_000_000;
const dayMs = 86_400_000;

/**
 * The gateway itself refused: it wants an access key. That says nothing about the key that is
 * checked.
 */
export class AccessKeyNeeded extends Error {}

/** Whether a 401 comes from the gateway and not from the upstream. */
function isFromGateway({ status, body }: Awaited<ReturnType<Ask>>): boolean {
  const { code, message } = fieldsOf(fieldsOf(body).error);
  if (status !== 401) return false;
  if (code === 'access_key_required' || code === 'invalid_access_key') return true;
  // Gateways before these codes existed.
  return (
    typeof message === 'string' &&
    /access keys? (of this gateway|\. Send)|asks for an access key/.test(message)
  );
}

/**
 * Finds out what remains on a key, by `subscription` and `usage` (OpenAI, one-api, new-api) or by
 * `credit_grants`. An upstream may have neither. Throws AccessKeyNeeded if the gateway itself
 * refuses.
 */
export async function checkKey(key: string, ask: Ask, now: Date): Promise<Balance> {
  const [models, subscription] = await Promise.all([
    ask('/v1/models'),
    ask('/v1/dashboard/billing/subscription'),
  ]);
  const gateway = [models, subscription].find(isFromGateway);
  if (gateway) throw new AccessKeyNeeded(messageOf(401, gateway.body));
  const base: Balance = {
    key,
    state: 'untold',
    plan: null,
    newestModel: newest(models.body),
    granted: null,
    used: null,
    remaining: null,
    expiresAt: null,
    message: null,
  };
  const refused = [models, subscription].find(({ status }) => status === 401);
  if (refused && models.status !== 200)
    return { ...base, state: 'dead', message: messageOf(401, refused.body) };
  if (models.status !== 200 && subscription.status !== 200)
    return { ...base, state: 'failed', message: messageOf(models.status, models.body) };
  const terms = fieldsOf(subscription.body);
  const limit = numberOf(terms.hard_limit_usd) ?? numberOf(terms.system_hard_limit_usd);
  if (subscription.status === 200 && limit !== null) {
    const usage = await ask(`/v1/dashboard/billing/usage?${usageDays(now)}`);
    const cents = numberOf(fieldsOf(usage.body).total_usage);
    return measured(base, now, {
      plan: planOf(terms),
      granted: limit >= oneApiUnlimited ? 'unlimited' : limit,
      used: usage.status === 200 && cents !== null ? cents / 100 : null,
      expiresAt: timeOf(terms.access_until),
    });
  }
  const credit = await ask('/v1/dashboard/billing/credit_grants');
  const sums = fieldsOf(credit.body);
  const granted = numberOf(sums.total_granted);
  if (credit.status !== 200 || granted === null) return base;
  const remaining = numberOf(sums.total_available);
  const grants = fieldsOf(sums.grants).data;
  const ends = (Array.isArray(grants) ? grants : []).map((each) => timeOf(fieldsOf(each).expires_at) ?? 0);
  return measured(base, now, {
    plan: 'credit',
    granted,
    used: numberOf(sums.total_used) ?? (remaining === null ? null : granted - remaining),
    expiresAt: Math.max(0, ...ends) || null,
  });
}

type Terms = Pick<Balance, 'plan' | 'granted' | 'used' | 'expiresAt'>;

function measured(base: Balance, now: Date, terms: Terms): Balance {
  const { granted, used, expiresAt } = terms;
  const isExpired = expiresAt !== null && expiresAt * 1000 < now.getTime();
  const remaining =
    granted === 'unlimited' ? granted : granted === null || used === null ? null : granted - used;
  return {
    ...base,
    ...terms,
    remaining,
    state: isExpired ? 'expired' : remaining !== null && Number(remaining) <= 0 ? 'empty' : 'ok',
  };
}

/** 99 days up to tomorrow: the longest span that every upstream accepts. */
function usageDays(now: Date): string {
  const day = (offset: number) => new Date(now.getTime() + offset * dayMs).toISOString().slice(0, 10);
  return `start_date=${day(-98)}&end_date=${day(1)}`;
}

function planOf(terms: Fields): string | null {
  const { title, id } = fieldsOf(terms.plan);
  const name = typeof title === 'string' && title !== '' ? title : id;
  return typeof name === 'string' && name !== '' ? name : null;
}

/** The newest chat model, by name if there are no dates; any model if none is for chats. */
function newest(body: unknown): string | null {
  const { data } = fieldsOf(body);
  const all = (Array.isArray(data) ? data : []).map(fieldsOf).filter(({ id }) => typeof id === 'string');
  const chats = all.filter(({ id }) => /^(?:gpt-|chatgpt-|o\d)/.test(String(id)));
  const [first] = (chats.length > 0 ? chats : all).sort(
    (a, b) =>
      (numberOf(b.created) ?? 0) - (numberOf(a.created) ?? 0) ||
      String(b.id).localeCompare(String(a.id), 'en', { numeric: true }),
  );
  return first ? String(first.id) : null;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A time in seconds. 0 and less mean never, so they are none. */
function timeOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds !== null && seconds > 0 ? seconds : null;
}
