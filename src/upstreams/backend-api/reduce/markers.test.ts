import { describe, expect, test } from 'vitest';
import type { Metadata } from '../decode/message.ts';
import { createMarkerParser } from './markers.ts';

/**
 * The text that comes of a message which arrives one character at a time, and at once: both must
 * agree.
 */
function read(text: string, metadata: Metadata): string {
  const result = (pieces: readonly string[]) => {
    const markers = createMarkerParser({ messageId: 'm1', waits: true });
    return [...pieces, '']
      .flatMap((piece, i) => markers.push(piece, metadata, i === pieces.length ? 'closed' : 'growing'))
      .map((segment) => ('text' in segment ? segment.text : `<${segment.kind}>`))
      .join('');
  };
  const whole = result([text]);
  expect(result(text.split(''))).toBe(whole);
  return whole;
}

const page = (url: string, message: number, line?: number, start_ix?: number) => ({
  ...(start_ix === undefined ? {} : { start_ix }),
  metadata: {
    type: 'webpage',
    title: url,
    url,
    extra: { cited_message_idx: message, search_result_idx: line ?? null },
  },
});

describe('a numbered mark', () => {
  test('is the source that it names', () => {
    expect(read('So【6†source】.', { citations: [page('https://a.test/', 6)] })).toBe(
      'So[[6](https://a.test/)].',
    );
  });

  test('is the source at its line, where several share a message', () => {
    const citations = [page('https://a.test/', 6, 0), page('https://b.test/', 6, 1)];
    expect(read('So【6:1†source】.', { citations })).toBe('So[[6](https://b.test/)].');
  });

  test('is left out where it is not sure which source is meant', () => {
    const citations = [page('https://a.test/', 6, 0), page('https://b.test/', 6, 1)];
    expect(read('So【6:7†source】.', { citations })).toBe('So.');
  });

  test('is the source that begins where it stands, characters counted', () => {
    const citations = [page('https://a.test/', 6, 0, 99), page('https://b.test/', 6, 0, 3)];
    expect(read('🌊🌊 【6†source】', { citations })).toBe('🌊🌊 [[6](https://b.test/)]');
  });

  test('survives a list with holes in it', () => {
    const citations = [null, page('https://a.test/', 6)] as unknown as NonNullable<Metadata['citations']>;
    expect(read('So【6†source】.', { citations })).toBe('So[[6](https://a.test/)].');
  });
});

describe('a private-use mark', () => {
  test('that is never closed is left out, and the text after it stays', () => {
    expect(read('One \uE200cite\uE202turn0search1\nTwo', {})).toBe('One\nTwo');
  });

  test('that another one interrupts is left out', () => {
    const mark = '\uE200cite\uE202b\uE201';
    const content_references = [{ type: 'webpage', matched_text: mark, alt: '(B)' }];
    expect(read(`One \uE200cite${mark} two`, { content_references })).toBe('One (B) two');
  });

  test('of a link that nothing explains keeps its words and its address', () => {
    expect(read('See \uE200url\uE202the docs\uE202https://a.test/x\uE201.', {})).toBe(
      'See [the docs](https://a.test/x).',
    );
  });
});
