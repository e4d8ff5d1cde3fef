/**
 * Runs the conversion over recorded and synthetic streams and writes the results into
 * `docs/conversion.md`, beside those of three other converters. The streams are not part of the
 * project: `node scripts/converters-table.ts FOLDER`
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createTurnReader } from '../src/upstreams/backend-api/turn.ts';
import { answerOnly, segmentsOf, written } from '../test/convert.ts';

const folder = process.argv[2] ?? new URL('../../shared/transcripts', import.meta.url).pathname;
const read = (name: string) => readFileSync(`${folder}/${name}`, 'utf8');
const expected = JSON.parse(read('synthetic/expected.json')) as Record<
  string,
  { text: string; error?: string; finish?: string; images?: string[] }
>;

function converted(name: string) {
  const reader = createTurnReader();
  const segments = segmentsOf(read(name), [1024], reader);
  return {
    content: written(
      segments.filter(({ kind }) => kind !== 'document'),
      answerOnly,
    ).content,
    images: segments.flatMap((segment) =>
      segment.kind === 'image' && segment.asset.from === 'file' ? [segment.asset.pointer] : [],
    ),
    error: segments.find((segment) => segment.kind === 'error')?.message ?? null,
    outcome: reader.state.outcome,
  };
}

/** Whether a made stream gives what is written beside it. */
function right(name: string): boolean {
  const wanted = expected[`${name}.sse`];
  const got = converted(`synthetic/${name}.sse`);
  if (!wanted) return false;
  const failed = wanted.error !== undefined || wanted.finish?.startsWith('(error') === true;
  const images = JSON.stringify(got.images) === JSON.stringify(wanted.images ?? []);
  return (
    got.content === wanted.text.replace('<download_url>', 'https://files.example/sandbox') &&
    images &&
    failed === (got.error !== null)
  );
}

/** Whether a recorded stream gives an answer, or says what became of it; never an empty success. */
function answers(name: string): boolean {
  const { content, outcome, error } = converted(name);
  return error === null && (content !== '' || outcome === 'background' || name.includes('excerpt'));
}

const v1 = readdirSync(folder).filter((name) => /^v1-.*\.sse$/.test(name) && !name.includes('excerpt'));
const v1Made = Object.keys(expected)
  .filter((name) => /^v1-.*\.sse$/.test(name))
  .map((name) => name.replace('.sse', ''));

type Row = readonly [what: string, others: readonly [string, string, string], ours: boolean];

const rows: readonly Row[] = [
  [
    'plain cumulative streams',
    ['right', 'right', 'right'],
    converted('v0-plain-idiom-gpt35.joined.sse').content === '风调雨顺' &&
      converted('v0-plain-longtext-gpt35-a.sse').content.length === 2019,
  ],
  [
    'every delta (v1) stream',
    ['empty, as a success', 'empty, as a success', 'an error'],
    v1.every(answers) && v1Made.every(right),
  ],
  [
    'an error in the middle',
    ['cut, as a success', 'cut, as a success', 'cut, as a success'],
    right('v0-error-midstream'),
  ],
  ['a stream that is cut', ['no error', 'no error', 'no error, no end'], right('v0-cut-no-done')],
  [
    'code, a plot and a file',
    ['text lost, link left', 'link left', 'plot lost'],
    right('v0-code-interpreter-image'),
  ],
  [
    'browsing with sources',
    ['mark left', 'mark left, page text', 'half a mark'],
    right('v0-browse-citations'),
  ],
  ['moderation', ['not noticed', 'not noticed', 'a refusal glued on'], right('v0-moderation-blocked')],
  [
    'a tool that fails',
    ['its error in the answer', 'its error in the answer', 'right'],
    right('v0-system-error'),
  ],
];

const table = [
  '| stream | PandoraToV1Api | RefreshToV1Api | chat2api | sluice |',
  '|--|--|--|--|--|',
  ...rows.map(
    ([what, others, ours]) => `| ${what} | ${others.join(' | ')} | ${ours ? '**right**' : 'WRONG'} |`,
  ),
].join('\n');

process.stdout.write(`${table}\n`);
const page = new URL('../docs/conversion.md', import.meta.url);
const text = readFileSync(page, 'utf8');
writeFileSync(page, text.replace(/(<!-- table -->)[\s\S]*(<!-- end -->)/, `$1\n${table}\n$2`));
if (rows.some(([, , ours]) => !ours)) process.exitCode = 1;
