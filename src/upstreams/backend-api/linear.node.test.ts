import { describe, expect, test } from 'vitest';
import { createFence } from '../../segments/fence.ts';
import { createDeltaDecoder } from './decode/delta.ts';
import { createCanvas } from './reduce/canvas.ts';
import { linksIn } from './reduce/links.ts';
import { createMarkerParser } from './reduce/markers.ts';
import { searchOf } from './reduce/search.ts';

/**
 * How much CPU a text of `size` costs, as a multiple of an eighth of it. Linear work is about
 * 8, quadratic work 64. The least of several runs, so that a busy machine changes nothing.
 */
function growth(work: (size: number) => unknown, size: number): number {
  const cost = (length: number) => {
    let least = Number.POSITIVE_INFINITY;
    for (let run = 0; run < 4; run++) {
      const start = process.cpuUsage();
      work(length);
      const { user } = process.cpuUsage(start);
      least = Math.min(least, user);
    }
    return Math.max(least, 2000);
  };
  cost(size / 8);
  return cost(size) / cost(size / 8);
}

const markers = (pieces: Iterable<string>): number => {
  const parser = createMarkerParser({ messageId: 'm', waits: true });
  let count = 0;
  for (const piece of pieces) count += parser.push(piece, {}, 'growing').length;
  return count + parser.push('', {}, 'closed').length;
};

const call = (text: string) =>
  searchOf({
    author: { role: 'assistant' },
    status: 'finished_successfully',
    content: { content_type: 'code', text },
  });

describe('text of a stranger costs what its length is', () => {
  test.each<[string, (size: number) => unknown, number]>([
    ['marker openings', (size) => markers(['\uE200'.repeat(size)]), 400_000],
    ['marker openings, one at a time', (size) => markers('\uE200'.repeat(size)), 100_000],
    [
      'text after a marker without a reference, one character at a time',
      (size) => markers(`\uE200a\uE201${'x'.repeat(size)}`),
      100_000,
    ],
    ['markers without references', (size) => markers(['\uE200a\uE201 '.repeat(size / 4)]), 400_000],
    [
      'a marker that never ends, one character at a time',
      (size) => markers(`\uE200${'\uE202'.repeat(size)}`),
      100_000,
    ],
    ['links to the sandbox that never end', (size) => markers(['](sandbox:'.repeat(size / 10)]), 400_000],
    ['numbered markers', (size) => markers(['【1†a】'.repeat(size / 5)]), 400_000],
    ['numbered markers that never end', (size) => markers(['【1†'.repeat(size / 3)]), 400_000],
    ['directives', (size) => markers([':::writing{\n'.repeat(size / 12)]), 400_000],
    ['colons, one at a time', (size) => markers(':'.repeat(size)), 100_000],
    [
      'backticks, one at a time',
      (size) => {
        const fence = createFence('text');
        for (let i = 0; i < size; i++) fence.push('`');
        return fence.end();
      },
      400_000,
    ],
    ['a search call that never ends', (size) => call(`search(${' '.repeat(size)}`), 400_000],
    ['search calls', (size) => call('search( '.repeat(size / 8)), 400_000],
    ['brackets', (size) => linksIn('['.repeat(size)), 400_000],
    ['link middles', (size) => linksIn(']('.repeat(size / 2)), 400_000],
    ['addresses', (size) => linksIn('](http'.repeat(size / 6)), 400_000],
    [
      'a list that grows item by item',
      (size) => {
        const decoder = createDeltaDecoder();
        decoder.push({ p: '', o: 'add', v: { list: [] } });
        for (let i = 0; i < size; i++) decoder.push({ p: '/list', o: 'append', v: [i] });
      },
      100_000,
    ],
  ])('%s', (_, work, size) => {
    expect(growth(work, size)).toBeLessThan(30);
  });

  test('updates of a document cannot multiply it beyond its limit', () => {
    const canvas = createCanvas();
    const take = (id: string, call: object) =>
      canvas.take({
        id,
        status: 'finished_successfully',
        content: { content_type: 'code', text: JSON.stringify(call) },
      });
    take('0', { name: 'D', content: 'a' });
    const update = { pattern: 'a', multiple: true, replacement: 'a'.repeat(10) };
    take('1', { updates: Array(12).fill(update) });
    expect(canvas.finish()[0]?.text.length).toBeLessThanOrEqual(1024 * 1024);
  });

  test('a patch inside a patch, and so on, is not followed for ever', () => {
    const decoder = createDeltaDecoder();
    decoder.push({ p: '', o: 'add', v: { n: 0 } });
    let patch: unknown = { p: '/n', o: 'replace', v: 1 };
    for (let i = 0; i < 5000; i++) patch = { o: 'patch', v: [patch] };
    expect(decoder.push({ p: '', o: 'patch', v: [patch] }).document).toEqual({ n: 0 });
  });
});
