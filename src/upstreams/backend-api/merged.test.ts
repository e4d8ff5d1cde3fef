import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentsOf, written } from '../../../test/convert.ts';
import { wireStories } from '../../emulator/backend/wire-stories.ts';
import { encodeWire, message, type WireEvent } from '../../emulator/backend/wire-story.ts';
import { markdownStyle } from '../../segments/style.ts';
import { createTurnReader } from './turn.ts';

const names = Object.keys(wireStories);
const secret = '{"call":"of a program"}';

/** The events of a story, its messages and their parents under ids of their own. */
function renamed(events: readonly WireEvent[], prefix: string): WireEvent[] {
  return events.map((event) => {
    const snapshot = event.message as { id: string; metadata: { parent_id?: string } } | undefined;
    if (!snapshot) return event;
    const parent = snapshot.metadata.parent_id;
    const metadata = { ...snapshot.metadata, ...(parent ? { parent_id: prefix + parent } : {}) };
    return { ...event, message: { ...snapshot, id: prefix + snapshot.id, metadata } };
  });
}

const unknownEvents: fc.Arbitrary<WireEvent> = fc.oneof(
  fc.record({
    type: fc.constantFrom('ads', 'toast', 'url_moderation', 'message_marker', 'x'),
    value: fc.jsonValue(),
  }),
  fc.nat(9).map((i) =>
    message(`n${i}`, 'assistant', secret, {
      recipient: `n7jupd.m${i}x`,
      content_type: 'code',
      status: 'finished_successfully',
    }),
  ),
  fc
    .nat(9)
    .map((i) =>
      message(`w${i}`, 'assistant', '', { content: { content_type: `new_widget_${i}`, body: secret } }),
    ),
  fc.nat(9).map((i) => message(`t${i}`, 'tool', secret, { name: `tool_${i}.do`, ends: true })),
  fc
    .nat(9)
    .map((i) =>
      message(`m${i}`, 'assistant', `Mark \uE200new${i}\uE202${i}\uE202\uE201 \uE203\uE2F0.`, { ends: true }),
    ),
  fc.nat(9).map((i) => message(`o${i}`, 'assistant', `Open \uE200cite\uE202turn${i}`, { ends: true })),
);

/**
 * Two stories whose messages come in any order that keeps each story's own, and unknown events
 * between.
 */
const merged = fc
  .tuple(
    fc.constantFrom(...names),
    fc.constantFrom(...names),
    fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), unknownEvents), { maxLength: 12 }),
  )
  .map(([one, other, steps]) => {
    const first = renamed(wireStories[one]?.events ?? [], 'a-');
    const second = renamed(wireStories[other]?.events ?? [], 'b-');
    const out: WireEvent[] = [];
    for (const [from, unknown] of steps) {
      const next = from === 'a' ? first.shift() : from === 'b' ? second.shift() : unknown;
      if (next) out.push(next);
    }
    return [...out, ...first, ...second];
  });

function read(
  events: readonly WireEvent[],
  encoding: 'v0' | 'v1',
  isWhole: boolean,
  cut: number,
  sizes: readonly number[],
) {
  const whole = [...encodeWire(events, 'c', encoding)].join('');
  const stream = whole.slice(0, Math.ceil(whole.length * cut));
  const reader = createTurnReader({ isWhole });
  const segments = segmentsOf(stream, sizes, reader);
  return { ...written(segments, markdownStyle), segments, outcome: reader.state.outcome };
}

const cuts = fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }));
const pieces = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 });

describe.each([false, true])('stories merged, with what is unknown between (whole: %s)', (isWhole) => {
  test('show no marker, no call of a program, and never nothing as a success', () => {
    fc.assert(
      fc.property(
        merged,
        fc.constantFrom('v0' as const, 'v1' as const),
        cuts,
        pieces,
        (events, encoding, cut, sizes) => {
          const { content, reasoning, segments, outcome } = read(events, encoding, isWhole, cut, sizes);
          expect(content + reasoning).not.toMatch(/[\uE200-\uE2FF]/);
          expect(content + reasoning).not.toMatch(/turn\d+(?:search|product)\d|:::writing|utm_source/);
          expect(content + reasoning).not.toMatch(/"call":|"queries":|"prompt":|"task":|"cmd":|"path":/);
          if (outcome === 'whole') expect(content.trim()).not.toBe('');
          if (outcome === 'broken' || outcome === 'failed')
            expect(segments.at(-1)).toMatchObject({ kind: 'error' });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('give the same however they are cut into pieces', () => {
    fc.assert(
      fc.property(merged, cuts, pieces, (events, cut, sizes) => {
        const { content, reasoning } = read(events, 'v0', isWhole, cut, [1 << 20]);
        expect(read(events, 'v0', isWhole, cut, sizes)).toMatchObject({ content, reasoning });
      }),
      { numRuns: 100 },
    );
  });
});

test.each([false, true])('no text of one message stands inside another (whole: %s)', (isWhole) => {
  const words = (id: string) => Array.from({ length: 12 }, (_, i) => `${id}${i}`);
  const snapshots = (id: string): WireEvent[] =>
    words(id).map((_, i) =>
      message(
        id,
        'assistant',
        words(id)
          .slice(0, i + 1)
          .join(' '),
        { ends: i === 11 },
      ),
    );
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 30 }), pieces, (turns, sizes) => {
      const [first, second] = [snapshots('x'), snapshots('y')];
      const mixed = turns.map((isFirst) => (isFirst ? first.shift() : second.shift()));
      const events = [...mixed, ...first, ...second].filter((event) => event !== undefined);
      const { content } = read(events, 'v0', isWhole, 1, sizes);
      const paragraphs = content.split('\n\n').map((each) => each.trim());
      for (const paragraph of paragraphs) expect(paragraph).toMatch(/^(?:x\d+ ?)+$|^(?:y\d+ ?)+$/);
      for (const id of ['x', 'y'])
        expect(paragraphs.filter((each) => each.startsWith(id)).join(' ')).toBe(words(id).join(' '));
      if (isWhole) expect(paragraphs).toHaveLength(2);
    }),
    { numRuns: 200 },
  );
});
