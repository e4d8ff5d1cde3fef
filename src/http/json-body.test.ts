import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { modelOf, parseJsonBody, withFields, withModel } from './json-body.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('a body that cannot be used is a 400 that says why', () => {
  test.each([
    ['', 'no body'],
    ['{"model":', 'not valid JSON'],
    ['[]', 'must be a JSON object'],
    ['null', 'must be a JSON object'],
    ['"text"', 'must be a JSON object'],
  ])('%j', (text, words) => {
    expect(() => parseJsonBody(encode(text))).toThrow(
      expect.objectContaining({ status: 400, message: expect.stringContaining(words) }),
    );
  });

  test('bytes that are not UTF-8', () => {
    expect(() => parseJsonBody(new Uint8Array([0x22, 0xff, 0x22]))).toThrow('not UTF-8');
  });

  test.each([
    ['{}', 'missing'],
    ['{"model":7}', 'must be a string'],
    ['{"model":""}', 'not empty'],
  ])('%s has no model', (text, words) => {
    expect(() => modelOf(parseJsonBody(encode(text)))).toThrow(
      expect.objectContaining({ param: 'model', message: expect.stringContaining(words) }),
    );
  });
});

describe('another model', () => {
  test('changes the bytes of that one value', () => {
    const text =
      '{ "seed": 12345678901234567890, "messages":[{"model":"inner"}], "model" : "a\\"b" , "x":1.0 }';
    expect(decode(withModel(parseJsonBody(encode(text)), 'new').bytes)).toBe(
      text.replace('"a\\"b"', '"new"'),
    );
  });

  test('is the last of repeated names, as JSON.parse takes it', () => {
    const changed = withModel(parseJsonBody(encode('{"model":"a","model":"b"}')), 'c');
    expect(decode(changed.bytes)).toBe('{"model":"a","model":"c"}');
  });

  test('reads back as the same object with that model, whatever the object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.string({ minLength: 1 }),
        (object, model) => {
          const body = parseJsonBody(encode(JSON.stringify({ ...object, model: 'old' }, null, 1)));
          const changed = withModel(body, model);
          expect(JSON.parse(decode(changed.bytes))).toEqual(JSON.parse(JSON.stringify({ ...object, model })));
          expect(changed.value).toEqual(JSON.parse(decode(changed.bytes)));
        },
      ),
    );
  });
});

test('fields are put in front and the rest stays as it is', () => {
  const body = withFields(parseJsonBody(encode(' {"seed":12345678901234567890}')), {
    model: 'm',
    stream: false,
  });
  expect(decode(body.bytes)).toBe(' {"model":"m","stream":false,"seed":12345678901234567890}');
  expect(decode(withFields(parseJsonBody(encode('{}')), { a: 1 }).bytes)).toBe('{"a":1}');
});
