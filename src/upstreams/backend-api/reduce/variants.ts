import { isFinished, type Message } from '../decode/message.ts';

/**
 * Keeps the first of several answers that an upstream gives at once for a comparison, and what
 * hangs on it. Passes everything until it learns that there are several.
 */
export function createVariantFilter() {
  let isActive = false;
  const firstOf = new Map<string, string>();
  const dropped = new Set<string>();
  let current: Message | null = null;
  let lastId: string | null = null;

  return {
    /** There are several answers from here on. */
    activate(): void {
      isActive = true;
    },
    /** Whether a message belongs to the first answer. */
    keeps(message: Message): boolean {
      const id = message.id ?? '';
      if (!isActive && id === lastId) return true;
      lastId = id;
      if (dropped.has(id)) return false;
      const parent = message.metadata?.parent_id;
      const isAssistant = message.author?.role === 'assistant';
      if (isActive && typeof parent === 'string' && dropped.has(parent)) {
        dropped.add(id);
        return false;
      }
      if (!isAssistant) return true;
      const isOther =
        typeof parent === 'string'
          ? (firstOf.get(parent) ?? id) !== id
          : current !== null && current.id !== id && !isFinished(current);
      if (isActive && isOther) {
        dropped.add(id);
        return false;
      }
      if (typeof parent === 'string' && !firstOf.has(parent)) firstOf.set(parent, id);
      current = message;
      return true;
    },
  };
}
