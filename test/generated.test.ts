import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from '../scripts/generate-settings.ts';

test.each(Object.entries(generated()))('%s is what npm run generate makes', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});
