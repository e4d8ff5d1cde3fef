/**
 * The CPU of the conversion: cumulative streams of 500, 2,000 and 8,000 tokens in pieces of 16 KB,
 * from bytes to the lines of a streamed completion. Beside it: finding the events and calling
 * `JSON.parse` for each. Medians of several interleaved rounds. `node bench/convert.ts`
 */
import { createChunkLines } from '../src/openai/chunks.ts';
import { createSseReader } from '../src/openai/sse.ts';
import { markdownStyle } from '../src/segments/style.ts';
import { createWriter } from '../src/segments/writer.ts';
import { createTurnReader } from '../src/upstreams/backend-api/turn.ts';
import { cumulativeEvents } from './cumulative.ts';
import { oneByOne } from './one-by-one.ts';

const rounds = 7;

const cumulative = (tokens: number) => new TextEncoder().encode(cumulativeEvents(tokens).join(''));

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 16_384) yield bytes.subarray(start, start + 16_384);
}

/** The whole conversion. Gives the number of lines. */
function convert(bytes: Uint8Array): number {
  const reader = createTurnReader();
  const writer = createWriter(markdownStyle);
  const lines = createChunkLines({ id: 'chatcmpl-1', created: 1, model: 'gpt-4' }, false);
  let written = 0;
  for (const piece of pieces(bytes)) {
    const content = reader
      .push(piece)
      .map((segment) => writer.write(segment).content)
      .join('');
    if (content !== '') written += lines.content(0, content).length > 0 ? 1 : 0;
  }
  reader.end();
  return written;
}

/** Finds the events and parses each. */
function parseEach(bytes: Uint8Array): number {
  const reader = createSseReader();
  let parsed = 0;
  for (const piece of pieces(bytes)) {
    for (const { data } of reader.push(piece)) if (data !== '[DONE]' && JSON.parse(data)) parsed++;
  }
  return parsed;
}

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

process.stdout.write('tokens   upstream MB   JSON.parse ms   sluice ms   ratio   µs/event   ms/MB\n');
for (const tokens of [500, 2000, 8000]) {
  const bytes = cumulative(tokens);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    theirs.push(cpuMs(() => parseEach(bytes)));
    ours.push(cpuMs(() => convert(bytes)));
  }
  const [parse, sluice] = [median(theirs), median(ours)];
  const megabytes = bytes.length / 1e6;
  const cells = [
    tokens,
    megabytes.toFixed(2),
    parse.toFixed(1),
    sluice.toFixed(1),
    (sluice / parse).toFixed(2),
    ((sluice * 1000) / tokens).toFixed(1),
    (sluice / megabytes).toFixed(2),
  ];
  process.stdout.write(
    `${cells.map((cell, i) => String(cell).padStart([6, 13, 15, 11, 7, 10, 7][i] ?? 8)).join(' ')}\n`,
  );
}

/** Heap of an open response, including its text so far. */
function heapPerStream(): number {
  const stream = cumulative(200);
  const half = stream.subarray(0, Math.floor(stream.length / 2));
  const open: unknown[] = [];
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 500; i++) {
    const reader = createTurnReader();
    const writer = createWriter(markdownStyle);
    for (const piece of pieces(half)) for (const segment of reader.push(piece)) writer.write(segment);
    open.push(reader, writer);
  }
  globalThis.gc?.();
  return ((process.memoryUsage().heapUsed - before) / open.length) * 2;
}

if (globalThis.gc)
  process.stdout.write(`an open answer of 100 tokens holds ${(heapPerStream() / 1024).toFixed(1)} KB\n`);

process.stdout.write('one event at a time   tokens   least µs/event   sluice µs/event   ratio\n');
for (const tokens of [100, 500]) {
  const { least, ours } = await oneByOne(tokens, 50, rounds);
  const cells = [tokens, least.toFixed(1), ours.toFixed(1), (ours / least).toFixed(2)];
  process.stdout.write(
    `${cells.map((cell, i) => String(cell).padStart([28, 16, 17, 7][i] ?? 8)).join(' ')}\n`,
  );
}
