import type { Answer } from './answer.ts';

/** The answers of a turn that may hold text back, in their order. */
export function createOpenAnswers() {
  const open = new Map<string, Answer>();
  /** Those whose text is complete: they only wait for their sources. */
  const whole = new Set<string>();
  let last: string | null = null;
  return {
    add(id: string, answer: Answer, isWhole: boolean): void {
      if (last !== id) open.set(id, answer);
      last = id;
      if (isWhole) whole.add(id);
    },
    hasWhole: (): boolean => whole.size > 0,
    /** Removes those whose text is complete, but for one. */
    takeWhole(except: string): readonly (readonly [string, Answer])[] {
      const taken = [...open].filter(([id]) => id !== except && whole.has(id));
      for (const [id] of taken) {
        open.delete(id);
        whole.delete(id);
      }
      last = null;
      return taken;
    },
    /** Removes all. */
    takeAll(): readonly (readonly [string, Answer])[] {
      const taken = [...open];
      open.clear();
      whole.clear();
      last = null;
      return taken;
    },
  };
}
