import type { AttemptResult, UpstreamRequest } from './relay.ts';

/** Failures in a row after which a hop is passed over while others are there. */
const tolerated = 5;
const firstRestMs = 5000;
const maxRestMs = 60_000;

type Health = { failures: number; coolUntil: number; at: number | null };

/** How an upstream did when it was last asked. */
export type UpstreamState = {
  readonly name: string;
  /** `cooling`: it failed often, or asked to be left alone, and is asked only where nobody else is there. */
  readonly state: 'unknown' | 'ok' | 'failing' | 'cooling';
  /** Milliseconds since the epoch of the last answer or failure. */
  readonly at: number | null;
};

/**
 * Remembers how each hop has been doing: a circuit breaker that never breaks the last way. A hop that fails five times in a row rests, longer
 * each time; so does one that asks for it. Resting hops are asked last, and one success clears them.
 */
export function createUpstreamHealth(names: readonly string[], now: () => number) {
  const health = new Map<string, Health>();
  const of = (id: string): Health => {
    let found = health.get(id);
    if (!found) health.set(id, (found = { failures: 0, coolUntil: 0, at: null }));
    return found;
  };
  const isCooling = (id: string): boolean => (health.get(id)?.coolUntil ?? 0) > now();

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
      const known = of(id);
      known.at = now();
      if (result === 'ok') {
        known.failures = 0;
        known.coolUntil = 0;
      } else if (result === 'failed') {
        known.failures++;
        const times = known.failures - tolerated;
        if (times >= 0) known.coolUntil = now() + Math.min(firstRestMs * 2 ** Math.min(times, 10), maxRestMs);
      } else {
        known.coolUntil = Math.max(known.coolUntil, now() + result.coolDownMs);
      }
    },
    isCooling,
    /** The same hops, those that rest last. */
    order<T extends Pick<UpstreamRequest, 'id'>>(hops: readonly T[]): readonly T[] {
      if (!hops.some(({ id }) => isCooling(id))) return hops;
      return [...hops.filter(({ id }) => !isCooling(id)), ...hops.filter(({ id }) => isCooling(id))];
    },
    view: (): readonly UpstreamState[] => names.map(stateOf),
    /** Whether nobody is left who does not rest. */
    isDown: (): boolean => names.length > 0 && names.every((name) => stateOf(name).state === 'cooling'),
  };
}

export type UpstreamHealth = ReturnType<typeof createUpstreamHealth>;
