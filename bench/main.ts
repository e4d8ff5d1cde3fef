import { readFileSync, writeFileSync } from 'node:fs';
import { peers } from './peers.ts';
import { compare, scenarios } from './relay.ts';
import { report } from './report.ts';

/**
 * `npm run bench [-- --peers a,b --scenarios x,y --rounds n --write]`: the table on the terminal; with `--write` into `docs/benchmarks.md`, above what
 * people wrote there, and as JSON beside it.
 */
const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const names = option('peers', Object.keys(peers).join(',')).split(',');
const chosen = option('scenarios', Object.keys(scenarios).join(',')).split(',');
const rounds = Number(option('rounds', '5'));
for (const name of names)
  if (!peers[name]) throw new Error(`there is no gateway "${name}" here: ${Object.keys(peers).join(', ')}`);
const rows = await compare(names, chosen, rounds, (line) => process.stderr.write(`${line}\n`));
const page = report(rows, rounds);
process.stdout.write(page);
if (process.argv.includes('--write')) {
  const file = 'docs/benchmarks.md';
  const mark = '<!-- by hand from here on -->';
  let kept = '';
  try {
    kept = readFileSync(file, 'utf8').split(mark)[1] ?? '';
  } catch {
    // The first time there is nothing to keep.
  }
  writeFileSync(file, `${page}${mark}${kept || '\n'}`);
  writeFileSync('docs/benchmarks.json', `${JSON.stringify(rows, null, 1)}\n`);
}
