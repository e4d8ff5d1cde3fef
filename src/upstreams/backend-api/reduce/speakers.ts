/**
 * After so many snapshots of others the answer that went on has stopped, though it is not finished.
 */
const maxOthers = 3;

/**
 * Which of several answers goes on: one at a time, so that no text stands inside another. It goes
 * on until it is finished, or until others grow and it does not.
 */
export function createSpeakers() {
  let current: string | null = null;
  let others = 0;
  return {
    /** Whether the answer may go on now. */
    mayGoOn(id: string): boolean {
      if (current !== null && current !== id && ++others < maxOthers) return false;
      current = id;
      others = 0;
      return true;
    },
    finish(id: string): void {
      if (current === id) current = null;
    },
  };
}
