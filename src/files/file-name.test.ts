import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentDisposition, safeFileName } from './file-name.ts';

describe('a safe file name', () => {
  test.each([
    ['report.csv', 'report.csv'],
    ['ein Bericht (1).csv', 'ein_Bericht_(1).csv'],
    ['图表.png', '图表.png'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Windows\\system32\\evil.exe', 'evil.exe'],
    ['a\0b.txt', 'ab.txt'],
    ['line\r\nSet-Cookie: x', 'lineSet-Cookie_x'],
    ['..', 'file'],
    ['', 'file'],
    ['...hidden', 'hidden'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['COM1.log', '_COM1.log'],
    ['invoice\u202Excod.exe', 'invoicexcod.exe'],
    ['a<script>.html', 'a_script_.html'],
    ['100%.txt', '100_.txt'],
    [`${'x'.repeat(4096)}.tar`, `${'x'.repeat(76)}.tar`],
  ])('%j is %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });

  test.each(['-', '.', '_', ' ', '\\', '/', '\u202e', '\0', '\ud800', '图', 'a', '%'])(
    'takes linear time for a million %j',
    (character) => {
      const safe = safeFileName(`x${character.repeat(1_000_000)}x`);
      expect([...safe].length).toBeLessThanOrEqual(81);
      expect(contentDisposition('inline', safe).length).toBeGreaterThan(0);
    },
  );

  test('is accepted by any system, for any input', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (name) => {
        const safe = safeFileName(name);
        expect([...safe].length).toBeGreaterThan(0);
        expect([...safe].length).toBeLessThanOrEqual(81);
        expect(safe).not.toMatch(/[/\\:*?"<>|\p{Cc}\s]|^\.|\.$/u);
        expect(safeFileName(safe)).toBe(safe);
        expect(URL.canParse(`http://h/files/${encodeURIComponent(safe)}`)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

test('a download has its name in ASCII and in UTF-8', () => {
  expect(contentDisposition('inline', 'a.png')).toBe('inline; filename="a.png"');
  expect(contentDisposition('attachment', "图'.csv")).toBe(
    "attachment; filename=\"_'.csv\"; filename*=UTF-8''%E5%9B%BE%27.csv",
  );
});
