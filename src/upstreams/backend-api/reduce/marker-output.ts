import type { Segment } from '../../../segments/segment.ts';
import type { Made } from './sources.ts';

/** After these and before the end no blank is left by a marker that became nothing. */
const closesSentence = /[\s.,;:!?)\]}。，；：！？）]/;
const startsMarker = /[\u3010\uE200-\uE2FF]/;

/** Gathers what a text with markers becomes, and sees to the blanks around them. */
export function createMarkerOutput() {
  let out: Segment[] = [];
  /** A blank that stands before markers of which nothing is left so far. */
  let blank = '';

  let buffer = '';

  const text = (added: string): void => {
    buffer += added;
  };

  const segment = (added: Segment): void => {
    if (buffer !== '') out.push({ kind: 'text', text: buffer });
    buffer = '';
    out.push(added);
  };

  return {
    text,
    segment,
    /**
     * What a marker became: `joined` is the blank or line end that was kept with it, `before` and
     * `next` are the characters around it. If it became nothing, its blank may go too.
     */
    put({ segments, isApart }: Made, joined: string, before: string, next: string | undefined): void {
      if (segments.length === 0) {
        if (next !== undefined && joined !== '' && startsMarker.test(next)) blank = joined;
        else if (next !== undefined && !closesSentence.test(next)) text(joined);
        return;
      }
      text(joined);
      if (isApart && joined === '' && !/[\s([{]/.test(before)) text(' ');
      for (const each of segments) {
        if (each.kind === 'text') text(each.text);
        else segment(each);
      }
    },
    takeBlank(): string {
      const taken = blank;
      blank = '';
      return taken;
    },
    keepBlank(kept: string): void {
      blank = kept;
    },
    /** What was gathered. */
    take(): Segment[] {
      if (buffer !== '') out.push({ kind: 'text', text: buffer });
      buffer = '';
      const taken = out;
      out = [];
      return taken;
    },
  };
}
