import { expect, test } from 'vitest';
import { extensionTypes } from '../../files/extensions.ts';
import { useCaseOf } from './use-case.ts';

test('the 24 types of the web app: four that are shown, twenty that are searched', () => {
  const types = [...new Set(Object.values(extensionTypes))];
  const known = types.filter((type) => useCaseOf(type) !== 'ace_upload');
  expect(known.filter((type) => useCaseOf(type) === 'multimodal').sort()).toEqual([
    'image/gif',
    'image/jpeg',
    'image/png',
    'image/webp',
  ]);
  expect(known.filter((type) => useCaseOf(type) === 'my_files')).toHaveLength(20);
  expect(known).toHaveLength(24);
});

test.each([
  'text/csv',
  'image/svg+xml',
  'image/avif',
  'application/zip',
  'audio/mpeg',
  'application/octet-stream',
])('%s is there for code alone', (type) => {
  expect(useCaseOf(type)).toBe('ace_upload');
});
