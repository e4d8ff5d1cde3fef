import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { createSnapshotParser } from './suffix.ts';

const snapshot = (text: string, more: object = {}) =>
  JSON.stringify({
    message: { id: 'a', content: { content_type: 'text', parts: [text] }, status: 'in_progress', ...more },
    error: null,
  });

test('a snapshot that only grew costs the parsing of what is new', () => {
  let parsed = 0;
  const parse = createSnapshotParser((raw) => {
    parsed++;
    return JSON.parse(raw);
  });
  let text = '';
  for (let i = 0; i < 100; i++) {
    text += `word ${i} "quoted" \\ 中文🌊\n`;
    expect(parse(snapshot(text)).event).toEqual(JSON.parse(snapshot(text)));
  }
  expect(parsed).toBe(1);
});

describe('the result is that of a full parse', () => {
  const pieces = fc.constantFrom(
    'a',
    '"',
    '\\',
    '\n',
    '中',
    '🌊',
    '"parts":["x"]',
    '","status":"x',
    '\\u0041',
    ' ',
  );
  const step = fc.oneof(
    fc.record({ grow: fc.array(pieces, { maxLength: 4 }).map((list) => list.join('')) }),
    fc.record({ replace: fc.array(pieces, { maxLength: 6 }).map((list) => list.join('')) }),
    fc.record({ status: fc.constantFrom('in_progress', 'finished_successfully') }),
    fc.record({ note: fc.constantFrom('"parts"', 'x', '') }),
  );

  test('whatever is said, grows, shrinks or changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, ascii) => {
        const parse = createSnapshotParser();
        let [text, status, note] = ['', 'in_progress', ''];
        for (const each of steps) {
          if ('grow' in each) text += each.grow;
          if ('replace' in each) text = each.replace;
          if ('status' in each) status = each.status;
          if ('note' in each) note = each.note;
          const json = snapshot(text, { status, metadata: { note } });
          const raw = ascii
            ? json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : json;
          const { event, appended } = parse(raw);
          expect(event).toEqual(JSON.parse(raw));
          if (appended !== null) expect(text.endsWith(appended)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.skipIf(Object.keys(inject('transcripts')).length === 0)('for every recorded event', () => {
    for (const [name, text] of Object.entries(inject('transcripts'))) {
      if (!name.endsWith('.sse')) continue;
      const parse = createSnapshotParser();
      for (const line of text.split('\n')) {
        const data = line.startsWith('data: {') ? line.slice('data: '.length) : null;
        if (data === null) continue;
        let expected: unknown;
        try {
          expected = JSON.parse(data);
        } catch {
          continue;
        }
        expect(parse(data).event).toEqual(expected);
      }
    }
  });
});

test('what is not JSON throws, and the next is read', () => {
  const parse = createSnapshotParser();
  expect(() => parse('{')).toThrow(SyntaxError);
  expect(parse(snapshot('a')).event).toEqual(JSON.parse(snapshot('a')));
  expect(() => parse(`${snapshot('a').slice(0, -3)}`)).toThrow(SyntaxError);
});
