import type { AssetRef, FinishReason, Segment } from './segment.ts';
import type { Style } from './style.ts';
import { createWriter, type Published, type Written } from './writer.ts';

/** Turns an asset into something a reader can see. */
export type Publish = (asset: AssetRef) => Promise<Published>;

/** What an answer is as it is written: pieces of it, and how it ended. */
export type AnswerPart =
  | ({ readonly kind: 'piece' } & Written)
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null };

/**
 * Writes batches of segments down, publishing assets on the way; each asset once, however often it is named. One piece for each
 * batch: what arrived together goes out together.
 */
export async function* writeAnswer(
  batches: AsyncIterable<readonly Segment[]>,
  style: Style,
  publish: Publish,
): AsyncGenerator<AnswerPart> {
  const writer = createWriter(style);
  const published = new Map<string, Promise<Published>>();
  const publishOnce = (asset: AssetRef): Promise<Published> => {
    const name = asset.from === 'file' ? asset.pointer : `${asset.messageId} ${asset.path}`;
    const known =
      published.get(name) ?? publish(asset).catch((error: unknown) => ({ failed: reasonOf(error) }));
    published.set(name, known);
    return known;
  };

  for await (const batch of batches) {
    const pieces: Written[] = [];
    let last: AnswerPart | null = null;
    // Several pictures of one batch are fetched side by side, and told in their order.
    for (const segment of batch)
      if ((segment.kind === 'image' || segment.kind === 'file') && writer.wants(segment.asset))
        void publishOnce(segment.asset);
    for (const segment of batch) {
      if (segment.kind === 'finish' || segment.kind === 'error') {
        last = segment;
        break;
      }
      const asset = segment.kind === 'image' || segment.kind === 'file' ? segment.asset : null;
      const wanted = asset && writer.wants(asset);
      if (asset && wanted && pieces.length > 0) yield joined(pieces.splice(0));
      if (asset && !wanted) continue;
      pieces.push(writer.write(segment, asset ? await publishOnce(asset) : undefined));
    }
    if (last) pieces.push(writer.end());
    if (pieces.length > 0) yield joined(pieces);
    if (last) {
      yield last;
      return;
    }
  }
}

function joined(pieces: readonly Written[]): AnswerPart {
  const [only] = pieces;
  if (only && pieces.length === 1) return { kind: 'piece', ...only };
  return {
    kind: 'piece',
    content: pieces.map(({ content }) => content).join(''),
    reasoning: pieces.map(({ reasoning }) => reasoning).join(''),
    annotations: pieces.flatMap(({ annotations }) => annotations),
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it could not be fetched';
}
