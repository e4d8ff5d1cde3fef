/** Something that wants to be looked at once a second. */
export type Beat = (now: number) => void;

/**
 * One timer for all open answers: starting and stopping a timer for each of them, and for each chunk, costs more than
 * carrying it. Seconds are precise enough for keep-alive and patience.
 */
export function createPulse() {
  const beats = new Set<Beat>();
  let timer: NodeJS.Timeout | undefined;
  return {
    join(beat: Beat): void {
      beats.add(beat);
      timer ??= setInterval(() => {
        const now = Date.now();
        for (const each of beats) each(now);
      }, 1000).unref();
    },
    leave(beat: Beat): void {
      beats.delete(beat);
      if (beats.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };
}

export type Pulse = ReturnType<typeof createPulse>;
