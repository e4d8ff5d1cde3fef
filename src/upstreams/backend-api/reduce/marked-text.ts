import { unclosedFence } from '../../../segments/fence.ts';
import type { Segment } from '../../../segments/segment.ts';
import type { Metadata } from '../decode/message.ts';
import type { MarkerOptions, TextState } from './marker-options.ts';
import { createMarkerParser } from './markers.ts';
import { createTextDiff, type TextChange } from './text-diff.ts';

const corrected = 'the upstream changed its answer. The corrected text follows.';
const withdrawn = 'the upstream withdrew the text above.';

/**
 * One text of a message as it grows → segments that say what is new, markers resolved. A change of
 * text that went out already gives a notice and the whole corrected text.
 */
export function createMarkedText(options: MarkerOptions) {
  const diff = createTextDiff();
  let markers = createMarkerParser(options);
  let metadata: Metadata | undefined;

  /**
   * Passes a change on; `before` is the text that was sent, of which the last `held` characters
   * wait.
   */
  const apply = (change: TextChange | null, before: string, held: number, state: TextState): Segment[] => {
    if (change === null) return state === 'growing' ? [] : markers.push('', metadata, state);
    if (!change.isCorrection) {
      if (change.kept < before.length) markers.takeBack(before.length - change.kept);
      return markers.push(change.added, metadata, state);
    }
    const fence = unclosedFence(before.slice(0, before.length - held));
    markers = createMarkerParser(options);
    return [
      ...(fence === '' ? [] : [{ kind: 'text', text: fence } as const]),
      { kind: 'notice', text: change.added.trim() === '' ? withdrawn : corrected },
      ...markers.push(change.added, metadata, state),
    ];
  };

  return {
    push(text: string, appended: string | null, present: Metadata | undefined, state: TextState): Segment[] {
      metadata = present;
      const [before, held] = [diff.sent(), markers.held()];
      return apply(diff.next(text, appended, state !== 'growing', held), before, held, state);
    },
    /** The text ends here, and so does its metadata: what was held back. */
    close(): Segment[] {
      const [before, held] = [diff.sent(), markers.held()];
      return apply(diff.rest(held), before, held, 'closed');
    },
    /** The markers that became nothing. */
    unresolved: (): readonly string[] => markers.unresolved(),
    /** Takes text as known that is not to be shown again. */
    skip(text: string): void {
      diff.next(text, null, false);
    },
  };
}

export type MarkedText = ReturnType<typeof createMarkedText>;
