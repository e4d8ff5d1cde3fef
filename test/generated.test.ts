import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generated } from '../scripts/generate-settings.ts';
import { withWireTable } from '../scripts/wire-table.ts';

test.each(Object.entries(generated()))('%s is what npm run generate makes', (path, text) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('docs/conversion.md has the table of the stories of the wire', () => {
  const page = readFileSync('docs/conversion.md', 'utf8');
  expect(withWireTable(page)).toBe(page);
});
