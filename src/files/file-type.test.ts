import { describe, expect, test } from 'vitest';
import { picture } from '../emulator/png.ts';
import { endingOf, isPicture, typeOf } from './file-type.ts';

const text = (content: string) => new TextEncoder().encode(content);
const bytes = (...values: number[]) => new Uint8Array([...values, ...new Array(64).fill(0)]);
const jpeg = bytes(0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46);
const zip = bytes(0x50, 0x4b, 3, 4, 20, 0, 0, 0);
const docx = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

describe('what a file is', () => {
  test.each([
    ['its bytes go first', picture('x'), 'text/html', 'page.html', 'image/png'],
    ['and before a wrong picture type', jpeg, 'image/png', 'a.png', 'image/jpeg'],
    [
      'a header comes second',
      text('{"a":1}'),
      'application/json; charset=utf-8',
      'a.txt',
      'application/json',
    ],
    ['a name comes third', text('print(1)'), null, 'a.py', 'text/x-script.python'],
    ['a name tells more than "plain"', text('# Title'), 'text/plain', 'README.md', 'text/markdown'],
    [
      'a header that says nothing is passed over',
      text('a,b'),
      'application/octet-stream',
      'a.csv',
      'text/csv',
    ],
    ['what has no other sign is text', text('hello'), null, null, 'text/plain'],
    ['or bytes', bytes(1, 2, 3), null, null, 'application/octet-stream'],
    [
      'a page is no picture, whatever it says',
      text('<html><script>1</script>'),
      'image/png',
      'a.png',
      'text/plain',
    ],
    ['bytes are no picture either', bytes(1, 2, 3), 'image/jpeg', 'a.jpg', 'application/octet-stream'],
    ['a name says what is packed', zip, null, 'a.docx', docx],
    ['a header does too', zip, docx, null, docx],
    ['but only what can be packed', zip, 'image/png', 'a.png', 'application/zip'],
    [
      'a drawing of lines',
      text('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      'image/svg+xml',
      'a.svg',
      'image/svg+xml',
    ],
    ['a PDF', text('%PDF-1.7\n%\u00e2'), null, null, 'application/pdf'],
    [
      'a picture that is also a page is a picture',
      new Uint8Array([...picture('x'), ...text('<script>1</script>')]),
      'text/html',
      'a.html',
      'image/png',
    ],
    ['TypeScript is no video', text('const a = 1'), 'video/mp2t', 'a.ts', 'text/x-typescript'],
    ['a cut character is still text', text('图').subarray(0, 2), null, 'a.txt', 'text/plain'],
    ['nothing', new Uint8Array(), null, null, 'text/plain'],
  ])('%s', async (_, head, declared, name, type) => {
    expect(await typeOf(head, declared, name)).toBe(type);
  });
});

test('endings', async () => {
  expect(await endingOf('image/png')).toBe('png');
  expect(await endingOf('text/x-script.python')).toBe('py');
  expect(await endingOf('video/mp4')).toBe('mp4');
  expect(await endingOf('application/x-unheard-of')).toBeNull();
});

test('pictures are those that cannot hold a program', () => {
  expect(['image/png', 'image/webp', 'image/svg+xml', 'text/html'].map(isPicture)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test.each(['-', '.', ' ', '/', '+', 'a', ';', '\0'])(
  'takes linear time for a million %j',
  async (character) => {
    const long = `x${character.repeat(1_000_000)}x`;
    expect(await typeOf(text('hello'), `text/plain${long}`, long)).toMatch(/^text\//);
    expect(await typeOf(text('hello'), long, `a.${long}`)).toBe('text/plain');
  },
);
