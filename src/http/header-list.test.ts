import { expect, test } from 'vitest';
import { listItems } from './header-list.ts';

test.each([
  ['a, b ,c', ['a', 'b', 'c']],
  [' , ,', []],
  ['', []],
  ['\ta\t,\t', ['a']],
])('%j has the items %j', (value, items) => {
  expect(listItems(value)).toEqual(items);
});
