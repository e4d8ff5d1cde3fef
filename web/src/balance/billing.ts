import { messageOf } from '../shared/message.ts';

/** What is known of a key. Amounts are in the upstream's own unit, mostly dollars; null where it does not tell. */
export type Balance = {
  readonly key: string;
  /** `dead`: refused. `empty`: nothing remains. `untold`: it works, and nobody says what is left. */
  readonly state: 'ok' | 'empty' | 'dead' | 'untold' | 'failed';
  readonly plan: string | null;
  readonly newestModel: string | null;
  readonly granted: number | 'unlimited' | null;
  readonly used: number | null;
  readonly remaining: number | 'unlimited' | null;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
  /** What the upstream said where it refused. */
  readonly message: string | null;
};

/** Asks the gateway as a key; gives the status (0 where there was no answer) and the JSON. */
export type Ask = (path: string) => Promise<{ status: number; body: unknown }>;

type Fields = Readonly<Record<string, unknown>>;

/** one-api says this of a key without a limit. */
const oneApiUnlimited = 100_000_000;
const dayMs = 86_400_000;

/**
 * Finds out what remains on a key, by whichever way its upstream tells: `subscription` and `usage` (OpenAI's own, one-api, new-api), else
 * `credit_grants`. An upstream may have neither.
 */
export async function checkKey(key: string, ask: Ask, now: Date): Promise<Balance> {
  const [models, subscription] = await Promise.all([
    ask('/v1/models'),
    ask('/v1/dashboard/billing/subscription'),
  ]);
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
    return measured(base, {
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
  return measured(base, {
    plan: 'credit',
    granted,
    used: numberOf(sums.total_used) ?? (remaining === null ? null : granted - remaining),
    expiresAt: Math.max(0, ...ends) || null,
  });
}

function measured(base: Balance, told: Pick<Balance, 'plan' | 'granted' | 'used' | 'expiresAt'>): Balance {
  const { granted, used } = told;
  const remaining =
    granted === 'unlimited' ? granted : granted === null || used === null ? null : granted - used;
  return {
    ...base,
    ...told,
    remaining,
    state: remaining !== null && Number(remaining) <= 0 ? 'empty' : 'ok',
  };
}

/** Ninety-nine days to tomorrow: the longest span that every upstream takes. */
function usageDays(now: Date): string {
  const day = (offset: number) => new Date(now.getTime() + offset * dayMs).toISOString().slice(0, 10);
  return `start_date=${day(-98)}&end_date=${day(1)}`;
}

function planOf(terms: Fields): string | null {
  const { title, id } = fieldsOf(terms.plan);
  const name = typeof title === 'string' && title !== '' ? title : id;
  return typeof name === 'string' && name !== '' ? name : null;
}

/** The model for chats that was made last, by name where nobody says when; any model where none is for chats. */
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

/** A time in seconds; none where it is 0 or before, which means never. */
function timeOf(value: unknown): number | null {
  const seconds = numberOf(value);
  return seconds !== null && seconds > 0 ? seconds : null;
}
