import { peers } from './peers.ts';
import { compare, median, scenarios } from './relay.ts';

/** `npm run bench [-- --peers a,b --scenarios x,y --rounds n]` */
const option = (name: string, otherwise: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? otherwise);
};
const names = option('peers', Object.keys(peers).join(',')).split(',');
const chosen = option('scenarios', Object.keys(scenarios).join(',')).split(',');
const rows = await compare(names, chosen, Number(option('rounds', '5')), (line) =>
  process.stderr.write(`${line}\n`),
);
for (const row of rows) {
  const of = (key: 'cpuMicros' | 'requestsPerSecond' | 'firstByteP50' | 'firstByteP99' | 'streamKb') => {
    const values = row.rounds.flatMap((round) => round[key] ?? []);
    return values.length === 0
      ? ''
      : `${key} ${median(values).toFixed(2)} (${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)})  `;
  };
  const failed = row.rounds.reduce((sum, round) => sum + round.failed, 0);
  console.log(
    `${row.scenario.padEnd(8)} ${row.name.padEnd(30)} ${of('cpuMicros')}${of('requestsPerSecond')}${of('firstByteP50')}${of('firstByteP99')}${of('streamKb')}${failed > 0 ? `failed ${failed}` : ''}`,
  );
}
