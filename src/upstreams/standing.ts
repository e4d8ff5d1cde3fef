import type { Outcome } from '../reply.ts';

/** How an upstream did when it was last asked. */
export type Standing = {
  note(upstream: string, outcome: Outcome, now: number): void;
  view(): readonly UpstreamState[];
};

export type UpstreamState = {
  readonly name: string;
  readonly state: 'unknown' | 'ok' | 'failing';
  /** Milliseconds since the epoch of the last answer or failure. */
  readonly at: number | null;
};

/** Remembers how each upstream has been doing; for people to look at, not to route by. */
export function createStanding(names: readonly string[]): Standing {
  const states = new Map<string, UpstreamState>(
    names.map((name) => [name, { name, state: 'unknown', at: null }]),
  );
  return {
    note(name, outcome, now) {
      if (outcome.endedBy === 'client' && outcome.status < 500) return;
      const failing =
        outcome.status >= 500 || outcome.endedBy === 'upstream' || outcome.endedBy === 'timeout';
      states.set(name, { name, state: failing ? 'failing' : 'ok', at: now });
    },
    view: () => [...states.values()],
  };
}
