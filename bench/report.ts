import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { converters, references } from './peers.ts';
import { type Figures, median, type Row, scenarios } from './relay.ts';

type Key = Exclude<keyof Figures, 'failed'>;

const columns: readonly (readonly [scenario: string, key: Key, title: string, digits: number])[] = [
  ['json', 'cpuMicros', 'JSON, µs of CPU', 0],
  ['json', 'requestsPerSecond', 'JSON, requests/s', 0],
  ['latency', 'firstByteP50', 'one at a time, ms p50', 2],
  ['burst', 'cpuMicros', '500 chunks at once, µs', 0],
  ['paced', 'cpuMicros', 'a chunk each 2 ms, µs', 1],
  ['open', 'streamKb', '2,000 open, KB each', 1],
  ['many', 'streamKb', '9,500 open, KB each', 1],
  ['start', 'startMs', 'start, ms', 0],
  ['convert-500', 'cpuMicros', '500 tokens, µs', 0],
  ['convert-2000', 'cpuMicros', '2,000 tokens, µs', 0],
  ['convert-8000', 'cpuMicros', '8,000 tokens, µs', 0],
  ['convert-paced', 'cpuMicros', 'an event each 2 ms, µs', 1],
  ['first', 'firstByteP50', 'to the first delta, ms p50', 2],
];

const figuresOf = (row: Row | undefined, key: Key): readonly number[] =>
  row?.rounds.flatMap((round) => (round.failed > 0 ? [] : (round[key] ?? []))) ?? [];

/** The median with the least and the most, and its ratio to the reference in the same run. */
function cell(row: Row | undefined, key: Key, digits: number, reference: Row | undefined): string {
  if (!row) return '';
  const failed = row.rounds.reduce((sum, round) => sum + round.failed, 0);
  if (failed > 0) return `${failed} failed`;
  const values = figuresOf(row, key);
  if (values.length === 0) return '';
  const bounds = `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
  const base = key === 'cpuMicros' ? median(figuresOf(reference, key)) : Number.NaN;
  const ratio = Number.isNaN(base) ? '' : `, ${(median(values) / base).toFixed(2)}×`;
  return `${median(values).toFixed(digits)} (${bounds})${ratio}`;
}

/** The figures of some gateways, in the columns that any of them has. */
function table(names: readonly Row[], rows: readonly Row[]): string {
  const peers = new Set(names.map(({ peer }) => peer));
  const used = columns.filter(([scenario]) =>
    rows.some((row) => row.scenario === scenario && peers.has(row.peer)),
  );
  const find = (peer: string, scenario: string) =>
    rows.find((row) => row.peer === peer && row.scenario === scenario);
  const lines = names.map(
    ({ peer, name }) =>
      `| ${name} | ${used.map(([scenario, key, , digits]) => cell(find(peer, scenario), key, digits, find(references[peer] ?? '', scenario))).join(' | ')} |`,
  );
  return [
    `| gateway | ${used.map(([, , title]) => title).join(' | ')} |`,
    `|--|${used.map(() => '--').join('|')}|`,
    ...lines,
  ].join('\n');
}

/** The benchmark's page: what was measured, on what, and the table. */
export function report(rows: readonly Row[]): string {
  const rounds = [...new Set(rows.map((row) => row.rounds.length))].sort().join(' or ');
  const names = [...new Map(rows.map((row) => [row.peer, row])).values()];
  const used = columns.filter(([scenario]) => rows.some((row) => row.scenario === scenario));
  const relays = names.filter(({ peer }) => !converters.includes(peer));
  const converting = names.filter(({ peer }) => converters.includes(peer));
  const bars = names.flatMap((row) => {
    const json = rows.find((each) => each.peer === row.peer && each.scenario === 'json');
    const values = json?.rounds.flatMap((round) => (round.failed > 0 ? [] : (round.cpuMicros ?? []))) ?? [];
    return values.length === 0 ? [] : [[row.name, median(values)] as const];
  });
  return `# Benchmarks

Made by \`npm run bench\`. A part of it: \`npm run bench -- --peers nginx,sluice --scenarios json --rounds 3\`.
One row: \`npm run bench -- --only sluice:json\`. Requests carry the headers of the official SDK, and responses
carry the 14 headers that OpenAI sends. CPU time is that of the gateway's processes, by the operating system's
accounting. Upstream, driver and gateways are separate processes on loopback. Each figure is the median of
${rounds} rounds, interleaved, with the least and the most. A ratio (×) is against the plainest program of the same
kind in the same run: 30 lines of \`node:http\` and undici, a Worker that pipes, or a server that calls
\`JSON.parse\` for each event. sluice runs with an access key, a server-side key, CORS, request ids, limits, metrics and its access log.

Machine: ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()}.
${names.map(({ name, version }) => `${name} (${version})`).join(', ')}.

${relays.length > 0 ? `## Relaying\n\n${table(relays, rows)}\n` : ''}
${converting.length > 0 ? `## Converting, CPU for each answer\n\n${table(converting, rows)}\n` : ''}
\`\`\`mermaid
xychart-beta
  title "CPU microseconds for a small JSON request"
  x-axis [${bars.map(([name]) => `"${name}"`).join(', ')}]
  y-axis "µs"
  bar [${bars.map(([, value]) => value.toFixed(0)).join(', ')}]
\`\`\`

| scenario | what it is |
|--|--|
${used
  .filter(([scenario], i) => used.findIndex(([other]) => other === scenario) === i)
  .map(([scenario]) => `| ${scenario} | ${scenarios[scenario]?.name}, ${scenarios[scenario]?.unit} |`)
  .join('\n')}

`;
}
