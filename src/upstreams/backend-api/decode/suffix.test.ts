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

test.each([
  ['a date before the text', (i: number) => ({ at: i, message: { id: 'a', update_time: i } })],
  ['padding behind it', (i: number) => ({ message: { id: 'a' }, pad: 'A'.repeat(i % 7) })],
])('where %s changes too, the text that is repeated is not parsed again', (_, more) => {
  let characters = 0;
  const parse = createSnapshotParser((raw) => {
    characters += raw.length;
    return JSON.parse(raw);
  });
  let text = '';
  for (let i = 0; i < 200; i++) {
    text += 'a "word" more ';
    const { message, ...rest } = more(i);
    const raw = JSON.stringify({
      ...rest,
      message: { ...message, content: { content_type: 'text', parts: [text] }, status: 'in_progress' },
      last: i,
    });
    const { event, appended } = parse(raw);
    expect(event).toEqual(JSON.parse(raw));
    expect(appended).toBe(i === 0 ? null : 'a "word" more ');
  }
  expect(characters).toBeLessThan(200 * 250);
});

test('code, and what it printed, grow as cheaply', () => {
  let parsed = 0;
  const parse = createSnapshotParser((raw) => {
    parsed++;
    return JSON.parse(raw);
  });
  for (let lines = 1; lines < 50; lines++) {
    const text = 'print("x")\n'.repeat(lines);
    const raw = JSON.stringify({
      message: { id: 'a', content: { content_type: 'code', language: 'unknown', text } },
    });
    expect(parse(raw).event).toEqual(JSON.parse(raw));
  }
  expect(parsed).toBe(1);
});

test('the same words in another message are no addition to it', () => {
  const parse = createSnapshotParser();
  const event = (id: string, text: string) => JSON.stringify({ message: { content: { parts: [text] }, id } });
  parse(event('a', 'Hello'));
  expect(parse(event('b', 'Hello you'))).toEqual({
    event: JSON.parse(event('b', 'Hello you')),
    appended: null,
  });
});

test.each([
  '{"message":{"content":{"parts":["a"],"parts":["b"]}}}',
  '{"message":{"content":{"parts":["a"]},"content":{"parts":["b"]}}}',
  '{"parts":["a"],"message":{"content":{"parts":["b"]}}}',
  '{"note":"\\"parts\\":[\\"x","message":{"content":{"parts" : [ "b" ]}}}',
  '{"message":{"content":{"parts":["a","b"]}}}',
  '{"message":{"content":{"parts":["a"],"text":"b"}}}',
  '{"message":{"content":{"parts":["a\\\\"]}}}',
  '{"message":{"content":{"text":"a","parts":null}}}',
  '{"message":null,"text":"a"}',
  '{"v":{"message":{"content":{"parts":["a"]}}}}',
  '{"message":"text","text":"a"}',
  '["parts",["a"]]',
  '"text"',
])('%s is what it is', (raw) => {
  const parse = createSnapshotParser();
  for (let i = 0; i < 3; i++) expect(parse(raw).event).toEqual(JSON.parse(raw));
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
    fc.record({ id: fc.constantFrom('a', 'b') }),
  );

  test('whatever is said, grows, shrinks or changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, ascii) => {
        const parse = createSnapshotParser();
        let [text, status, note, id] = ['', 'in_progress', '', 'a'];
        for (const each of steps) {
          if ('grow' in each) text += each.grow;
          if ('replace' in each) text = each.replace;
          if ('status' in each) status = each.status;
          if ('note' in each) note = each.note;
          if ('id' in each) id = each.id;
          const json = snapshot(text, { status, id, metadata: { note } });
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
