import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDeltaDecoder, type Delta } from './delta.ts';

function documentAfter(deltas: readonly Delta[]): unknown {
  const decoder = createDeltaDecoder();
  let document: unknown = null;
  for (const delta of deltas) document = decoder.push(delta).document;
  return document;
}

const begin = (message: unknown): Delta => ({ p: '', o: 'add', v: { message }, c: 0 });

describe('deltas', () => {
  test.each<[string, readonly Delta[], unknown]>([
    [
      'inherit path and operation',
      [begin({ t: '' }), { p: '/message/t', o: 'append', v: 'a' }, { v: 'b' }],
      { message: { t: 'ab' } },
    ],
    [
      'inherit a patch as operation',
      [
        begin({ t: '', s: 1 }),
        { p: '', o: 'patch', v: [{ p: '/message/s', o: 'replace', v: 2 }] },
        { v: [{ p: '/message/t', o: 'append', v: 'x' }] },
      ],
      { message: { t: 'x', s: 2 } },
    ],
    [
      'inherit the root as path',
      [begin({ a: 1 }), { p: '', o: 'patch', v: [] }, { o: 'add', v: { message: { b: 2 } }, c: 1 }],
      { message: { b: 2 } },
    ],
    [
      'concatenate lists',
      [begin({ l: [1] }), { p: '/message/l', o: 'append', v: [2, 3] }, { v: 4 }],
      { message: { l: [1, 2, 3, 4] } },
    ],
    [
      'merge objects',
      [begin({ m: { a: 1, b: 1 } }), { p: '/message/m', o: 'append', v: { b: 2 } }],
      { message: { m: { a: 1, b: 2 } } },
    ],
    [
      'remove',
      [begin({ a: 1, l: [1, 2] }), { p: '/message/a', o: 'remove' }, { p: '/message/l/0' }],
      { message: { l: [2] } },
    ],
    [
      'truncate to a length',
      [begin({ t: 'The output is:' }), { p: '/message/t', o: 'truncate', v: 10 }],
      { message: { t: 'The output' } },
    ],
    [
      'append where nothing is',
      [begin({}), { p: '/message/content/parts/0', o: 'append', v: 'x' }],
      { message: { content: { parts: ['x'] } } },
    ],
    [
      'insert into lists',
      [begin({ l: [1, 3] }), { p: '/message/l/1', o: 'add', v: 2 }, { p: '/message/l/-', v: 4 }],
      { message: { l: [1, 2, 3, 4] } },
    ],
    [
      'follow escaped steps',
      [begin({ 'a/b': 1 }), { p: '/message/a~1b', o: 'replace', v: 2 }],
      { message: { 'a/b': 2 } },
    ],
  ])('%s', (_, deltas, document) => {
    expect(documentAfter(deltas)).toEqual(document);
  });

  test('reach no prototype', () => {
    documentAfter([
      begin({}),
      { p: '/message/__proto__/polluted', o: 'add', v: true },
      { p: '/constructor/prototype/polluted', o: 'add', v: true },
    ]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('never throw, whatever they are', () => {
    const path = fc.constantFrom(
      '',
      '/',
      '/message',
      '/message/l/999999999',
      '/message/0/x',
      '/a/b/c',
      'x',
      '/message/-',
    );
    const op = fc.constantFrom('add', 'append', 'replace', 'remove', 'truncate', 'patch', 'unknown');
    fc.assert(
      fc.property(
        fc.array(fc.record({ p: path, o: op, v: fc.jsonValue(), c: fc.nat(3) }, { requiredKeys: [] }), {
          maxLength: 20,
        }),
        (deltas) => {
          expect(() => documentAfter(deltas as Delta[])).not.toThrow();
        },
      ),
    );
  });
});
