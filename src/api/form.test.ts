import { expect, test } from 'vitest';
import { boundaryIn } from './form.ts';

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data ; charset=utf-8; Boundary="a b"', 'a b'],
  ['multipart/form-data; boundary=abc; charset=utf-8', 'abc'],
  ['multipart/form-data; boundary=a=b', 'a=b'],
  ['multipart/form-data', null],
  ['multipart/form-data; boundary=', null],
  ['multipart/form-data; boundary=""', null],
  ['multipart/form-data; xboundary=a', null],
  ['multipart/mixed; boundary=abc', null],
  ['application/json; boundary=abc', null],
  ['', null],
])('the boundary of %j is %j', (type, boundary) => {
  expect(boundaryIn(type)).toBe(boundary);
});
