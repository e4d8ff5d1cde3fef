import { createMarkerParser } from './markers.ts';

/** A whole text without markers: links keep their words. */
export function plainText(text: string, isCode = false): string {
  return createMarkerParser({ messageId: null, isCode, waits: false })
    .push(text, undefined, 'closed')
    .map((segment) => {
      if (segment.kind === 'text') return segment.text;
      return segment.kind === 'citation' ? segment.text : '';
    })
    .join('');
}
