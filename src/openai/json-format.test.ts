import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFenceRemover, jsonFormatOf } from './json-format.ts';

function read(pieces: readonly string[]): string {
  const fence = createFenceRemover();
  return pieces.map((piece) => fence.push(piece)).join('') + fence.end();
}

describe('a fence around the whole of an answer', () => {
  test.each([
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['```\n[1,\n2]\n```\n', '[1,\n2]'],
    ['\n```json\n{}\n```', '{}'],
    ['{"a":"```"}', '{"a":"```"}'],
    ['``', '``'],
    ['{"a":1}\n', '{"a":1}\n'],
    ['', ''],
  ])('%j is taken away, however the text is cut', (text, wanted) => {
    expect(read([text])).toBe(wanted);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), (size) => {
        expect(read(text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [])).toBe(wanted);
      }),
    );
  });
});

test('the model gets the form, and its schema', () => {
  expect(jsonFormatOf({ response_format: { type: 'json_object' } })).toMatchObject({ isStrict: false });
  const schema = { type: 'object', properties: { a: { type: 'number' } } };
  const format = jsonFormatOf({
    response_format: { type: 'json_schema', json_schema: { schema, strict: true } },
  });
  expect(format?.isStrict).toBe(true);
  expect(format?.instruction).toContain(JSON.stringify(schema));
  expect(jsonFormatOf({ response_format: { type: 'text' } })).toBeNull();
  expect(jsonFormatOf({})).toBeNull();
});
