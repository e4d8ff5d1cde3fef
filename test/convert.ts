import type { Segment } from '../src/segments/segment.ts';
import { markdownStyle, type Style } from '../src/segments/style.ts';
import { createWriter } from '../src/segments/writer.ts';
import { lastSegments } from '../src/upstreams/backend-api/end-turn.ts';
import { createTurnReader, type TurnReader } from '../src/upstreams/backend-api/turn.ts';

/** The answer without tool output and pictures, as the expected texts of the records have it. */
export const answerOnly: Style = { ...markdownStyle, toolOutput: false, images: 'none' };

/** A stream of bytes in pieces of the given sizes, in turn. */
export function* cutAt(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = start + Math.max(sizes[i % sizes.length] ?? 1, 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** All segments of a stream, however it is cut. */
export function segmentsOf(
  text: string,
  sizes: readonly number[] = [1 << 20],
  reader: TurnReader = createTurnReader(),
): Segment[] {
  const out: Segment[] = [];
  for (const piece of cutAt(new TextEncoder().encode(text), sizes)) out.push(...reader.push(piece));
  out.push(...reader.end());
  const { outcome } = reader.state;
  if (outcome === 'broken' || outcome === 'empty') return [...out, ...lastSegments(reader, null)];
  return outcome === 'cut' ? out : [...out, ...reader.flush()];
}

/** Segments written down, every asset published under a name that tells it. */
export function written(
  segments: readonly Segment[],
  style: Style,
): { content: string; reasoning: string; annotations: unknown[] } {
  const writer = createWriter(style);
  const pieces = segments.map((segment) => {
    if (segment.kind !== 'image' && segment.kind !== 'file') return writer.write(segment);
    const { asset } = segment;
    return writer.write(segment, {
      url: asset.from === 'file' ? `https://files.example/${asset.id}` : 'https://files.example/sandbox',
    });
  });
  pieces.push(writer.end());
  return {
    content: pieces.map(({ content }) => content).join(''),
    reasoning: pieces.map(({ reasoning }) => reasoning).join(''),
    annotations: pieces.flatMap(({ annotations }) => annotations),
  };
}
