import type { Segment } from '../../../segments/segment.ts';
import type { Message } from '../decode/message.ts';
import { createReducer, type Reducer } from './reduce.ts';

/** Most messages of a turn that wait; the oldest are reduced before that many more. */
const maxWaiting = 10_000;

/**
 * Reduces each message once, as it was at last: for an answer that is not streamed. Earlier text
 * that was changed or truncated is never seen.
 */
export function createFinalReducer(): Reducer {
  const reducer = createReducer();
  const waiting = new Map<string, Message>();
  const reduced: Segment[] = [];

  const reduceAll = (): void => {
    for (const message of waiting.values()) reduced.push(...reducer.push(message, null));
    waiting.clear();
  };

  return {
    push(message) {
      waiting.set(message.id ?? '', message);
      if (waiting.size > maxWaiting) reduceAll();
      return [];
    },
    continued(): void {
      reduceAll();
      reducer.continued();
    },
    hasShown(): boolean {
      if (reducer.hasShown()) return true;
      const preview = createReducer();
      for (const message of waiting.values()) preview.push(message, null);
      preview.end();
      return preview.hasShown();
    },
    end(): Segment[] {
      reduceAll();
      return [...reduced.splice(0), ...reducer.end()];
    },
  };
}
