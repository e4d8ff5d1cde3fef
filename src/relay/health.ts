import type { AttemptResult, UpstreamRequest } from './relay.ts';

/** Consecutive failures after which a request goes elsewhere while others are there. */
const maxFailures = 5;
const firstCoolDownMs = 5000;
const maxCoolDownMs = 60_000;

type Health = { failures: number; coolUntil: number; at: number | null };

/** How an upstream answered when it was last asked. */
export type UpstreamState = {
  readonly name: string;
  /** `cooling`: it failed often, or asked for a pause. It is tried last. */
  readonly state: 'unknown' | 'ok' | 'failing' | 'cooling';
  /** Wall-clock time of the last response or failure, in milliseconds. */
  readonly at: number | null;
};

/**
 * Passive health checks for each upstream and key. After 5 consecutive failures (or a 429) an entry
 * cools down: 5 s, doubled each time, at most 60 s, or as long as Retry-After says. Cooling entries
 * are tried last but never removed, and one success clears them. `monotonic` measures cool-downs.
 */
export function createUpstreamHealth(
  names: readonly string[],
  monotonic: () => number = () => performance.now(),
) {
  const health = new Map<string, Health>();
  const of = (id: string): Health => {
    let entry = health.get(id);
    if (!entry) health.set(id, (entry = { failures: 0, coolUntil: 0, at: null }));
    return entry;
  };
  const isCooling = (id: string): boolean => {
    const until = health.get(id)?.coolUntil ?? 0;
    return until > 0 && until > monotonic();
  };

  const stateOf = (name: string): UpstreamState => {
    const known = [...health].filter(([id]) => id === name || id.startsWith(`${name}#`));
    const at = known.reduce<number | null>(
      (latest, [, each]) => Math.max(latest ?? 0, each.at ?? 0) || null,
      null,
    );
    if (at === null) return { name, state: 'unknown', at };
    if (known.every(([id]) => isCooling(id))) return { name, state: 'cooling', at };
    return { name, state: known.some(([, { failures }]) => failures === 0) ? 'ok' : 'failing', at };
  };

  return {
    report({ id }: Pick<UpstreamRequest, 'id'>, result: AttemptResult): void {
      const entry = of(id);
      entry.at = Date.now();
      if (result === 'ok') {
        entry.failures = 0;
        entry.coolUntil = 0;
      } else if (result === 'failed') {
        entry.failures++;
        const times = entry.failures - maxFailures;
        if (times >= 0)
          entry.coolUntil = monotonic() + Math.min(firstCoolDownMs * 2 ** Math.min(times, 10), maxCoolDownMs);
      } else {
        entry.coolUntil = Math.max(entry.coolUntil, monotonic() + result.coolDownMs);
      }
    },
    isCooling,
    /** The same requests, those that cool down last. */
    order<T extends Pick<UpstreamRequest, 'id'>>(requests: readonly T[]): readonly T[] {
      if (!requests.some(({ id }) => isCooling(id))) return requests;
      return [...requests.filter(({ id }) => !isCooling(id)), ...requests.filter(({ id }) => isCooling(id))];
    },
    view: (): readonly UpstreamState[] => names.map(stateOf),
    /** Whether every upstream cools down. */
    isDown: (): boolean => names.length > 0 && names.every((name) => stateOf(name).state === 'cooling'),
  };
}

export type UpstreamHealth = ReturnType<typeof createUpstreamHealth>;
