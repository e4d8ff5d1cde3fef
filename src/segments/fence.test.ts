import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFence } from './fence.ts';

function fenced(pieces: readonly string[]): string {
  const fence = createFence('md');
  return pieces.map((piece) => fence.push(piece)).join('') + fence.end();
}

/**
 * The lines inside a Markdown text that is nothing but fences; null where one is open at the end.
 */
function linesIn(text: string): string[] | null {
  const out: string[] = [];
  let open: { fence: string; lines: string[] } | null = null;
  for (const line of text.split('\n')) {
    if (open === null) {
      const fence = /^(`{3,})\w*$/.exec(line)?.[1];
      if (!fence) return null;
      open = { fence, lines: [] };
    } else if (new RegExp(`^ {0,3}${open.fence}\`*\\s*$`).test(line)) {
      out.push(...open.lines);
      open = null;
    } else open.lines.push(line);
  }
  return open === null ? out : null;
}

describe('a code fence', () => {
  test.each([
    [['print(1)'], '```md\nprint(1)\n```'],
    [['a\n', 'b\n'], '```md\na\nb\n```'],
    [['```js\nx\n```'], '````md\n```js\nx\n```\n````'],
    [['a\n', '``', '`js\nx'], '```md\na\n```\n````md\n```js\nx\n````'],
    [['`inline` and `` two'], '```md\n`inline` and `` two\n```'],
    [[''], ''],
  ])('%j', (pieces, text) => {
    expect(fenced(pieces)).toBe(text);
  });

  test('is closed, holds every line, and is the same however the text is cut', () => {
    const piece = fc.constantFrom('`', '``', '```', '````', ' ', '   ', '\n', 'x', 'js\n');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 15 }), (pieces) => {
        const whole = pieces.join('');
        const text = fenced([whole]);
        expect(fenced([...whole])).toBe(text);
        const found = linesIn(text);
        expect(found).not.toBeNull();
        expect(found).toEqual(whole.replace(/\n$/, '').split('\n'));
      }),
      { numRuns: 500 },
    );
  });
});
