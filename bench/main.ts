import { readFileSync, writeFileSync } from 'node:fs';
import { peers } from './peers.ts';
import { compare, type Row, scenarios } from './relay.ts';
import { report } from './report.ts';

/**
 * `npm run bench [-- --peers a,b --scenarios x,y --only a:x --rounds n --scale n --write]`
 *
 * Prints the table. `--only` measures one gateway, or one gateway in one scenario. `--scale 0.1`
 * sends a tenth of the requests. `--write` puts the figures into `docs/benchmarks.md` and
 * `docs/benchmarks.json`. What was written by hand stays.
 */
const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const all = Object.keys(peers).filter((name) => name !== 'p2vapi' || process.env.P2VAPI);
const [onlyPeer, onlyScenario] = option('only', '').split(':');
const names = (onlyPeer || option('peers', all.join(','))).split(',');
const chosen = (onlyScenario || option('scenarios', Object.keys(scenarios).join(','))).split(',');
const rounds = Number(option('rounds', '5'));
const scale = Number(option('scale', '1'));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
for (const name of names)
  if (!peers[name]) throw new Error(`there is no gateway "${name}" here: ${Object.keys(peers).join(', ')}`);
const rows = await compare(names, chosen, { rounds, scale }, (line) => process.stderr.write(`${line}\n`));
process.stdout.write(report(rows));
if (process.argv.includes('--write')) {
  const together = merged(rows);
  const page = report(together);
  const file = 'docs/benchmarks.md';
  const mark = '<!-- by hand from here on -->';
  let kept = '';
  try {
    kept = readFileSync(file, 'utf8').split(mark)[1] ?? '';
  } catch {
    // There is no page yet.
  }
  writeFileSync(file, `${page}${mark}${kept || '\n'}`);
  writeFileSync('docs/benchmarks.json', `${JSON.stringify(together, null, 1)}\n`);
}

/** The new figures, and the old ones of rows that were not measured now. */
function merged(now: readonly Row[]): readonly Row[] {
  let before: readonly Row[] = [];
  try {
    before = JSON.parse(readFileSync('docs/benchmarks.json', 'utf8')) as Row[];
  } catch {
    // There is no file yet.
  }
  const isNew = (row: Row) => now.some((each) => each.peer === row.peer && each.scenario === row.scenario);
  const order = Object.keys(peers);
  return [...before.filter((row) => !isNew(row)), ...now].sort(
    (a, b) => order.indexOf(a.peer) - order.indexOf(b.peer),
  );
}
