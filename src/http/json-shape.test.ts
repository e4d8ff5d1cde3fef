import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exceededLimit, topLevelString } from './json-shape.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const limits = { depth: 3, names: 3, values: 5 };

describe('the limits of JSON', () => {
  test.each([
    ['{"a":[[1]]}', null],
    ['{"a":[[[1]]]}', 'depth'],
    ['{"a":"[[[[[[[["}', null],
    ['{"a":"\\"[[[[["}', null],
    ['{"a":"\\\\","b":[[[', 'depth'],
    ['{"a":1,"b":2,"c":3}', null],
    ['{"a":1,"b":2,"c":{"d":4}}', 'names'],
    ['{"a":[1,2,3,4,5,6]}', 'values'],
    ['[{},{},{}]', 'values'],
    ['"unfinished [[[[', null],
    ['', null],
  ])('%s exceeds %s', (text, expected) => {
    expect(exceededLimit(encode(text), limits)).toBe(expected);
  });

  test('are counted as JSON.parse would find them', () => {
    const count = (value: unknown, at: number): { depth: number; names: number } => {
      if (typeof value !== 'object' || value === null) return { depth: at, names: 0 };
      const inner = Object.values(value).map((each) => count(each, at + 1));
      return {
        depth: Math.max(at + 1, ...inner.map(({ depth }) => depth)),
        names:
          (Array.isArray(value) ? 0 : Object.keys(value).length) +
          inner.reduce((n, { names }) => n + names, 0),
      };
    };
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { depth, names } = count(value, 0);
        const bytes = encode(JSON.stringify(value));
        const roomy = { depth, names, values: 1e9 };
        expect(exceededLimit(bytes, roomy)).toBe(null);
        if (depth > 0) expect(exceededLimit(bytes, { ...roomy, depth: depth - 1 })).toBe('depth');
        if (names > 0) expect(exceededLimit(bytes, { ...roomy, names: names - 1 })).toBe('names');
      }),
    );
  });
});

describe('a string of the outermost object', () => {
  const at = (text: string) => {
    const span = topLevelString(encode(text), 'model');
    return span && text.slice(span.start, span.end);
  };

  test.each([
    ['{"model":"a"}', '"a"'],
    ['{"mode\\u006c":"a"}', '"a"'],
    ['{"x":{"model":"b"},"model":"a"}', '"a"'],
    ['{"model":"a","model":"b"}', '"b"'],
    ['{"model":"a","model":{"x":"b"}}', null],
    ['{"models":"a","mode":"b","modem":"c"}', null],
    ['{"x":"model"}', null],
  ])('%s: %s', (text, expected) => {
    expect(at(text)).toBe(expected);
  });
});
