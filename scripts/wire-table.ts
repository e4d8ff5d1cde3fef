/**
 * Writes what is on the wire and what the caller gets into `docs/conversion.md`, a line for each
 * story that is tested: `node scripts/wire-table.ts`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { wireStories } from '../src/emulator/backend/wire-stories.ts';

const path = fileURLToPath(new URL('../docs/conversion.md', import.meta.url));
const [start, end] = ['<!-- wire -->', '<!-- wire end -->'];

/** The page with the table as the stories have it. */
export function withWireTable(page: string): string {
  const rows = Object.entries(wireStories).map(
    ([name, { wire, gets, since }]) => `| ${wire} | ${gets} | ${since} | \`${name}\` |`,
  );
  const table = ['| on the wire | the caller gets | since | story |', '|--|--|--|--|', ...rows].join('\n');
  const [before, rest = ''] = page.split(start);
  return `${before}${start}\n${table}\n${end}${rest.split(end)[1] ?? ''}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(path, withWireTable(readFileSync(path, 'utf8')));
  process.stdout.write('wrote docs/conversion.md\n');
}
