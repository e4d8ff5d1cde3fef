import type { AssetRef, FinishReason, Segment } from './segment.ts';
import type { Style } from './style.ts';
import { createWriter, type Published, type Written } from './writer.ts';

/** Turns an asset into something a reader can see. Only a picture may be shown as an `image`. */
export type Publish = (asset: AssetRef, kind: 'image' | 'file') => Promise<Published>;

/** A written answer: pieces of it, and how it ended. */
export type AnswerPart =
  | ({ readonly kind: 'piece' } & Written)
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null };

/**
 * Writes an answer as its segments come. Nothing in it waits: `take` gives what can be written now.
 */
export interface AnswerWriter {
  /** Adds a batch. The parts of the one before must have been taken. */
  push(batch: readonly Segment[]): void;
  /** The next part; null if it needs another batch, or the asset that `pending` waits for. */
  take(): AnswerPart | null;
  /** Resolves when the asset is published that the next part needs; null if it needs none. */
  pending(): Promise<unknown> | null;
}

const noSegments: readonly Segment[] = [];

/**
 * Writes batches of segments, publishing assets on the way; each asset once, however often it is
 * named. One piece for each batch: what arrived together goes out together. The text before an
 * asset goes out while the asset is published.
 */
export function createAnswerWriter(style: Style, publish: Publish): AnswerWriter {
  const writer = createWriter(style);
  const published = new Map<string, Published>();
  const publishing = new Map<string, Promise<void>>();
  let queue = noSegments;
  let at = 0;
  let last: Extract<AnswerPart, { kind: 'finish' | 'error' }> | null = null;
  let pending: Promise<void> | null = null;

  const publishOnce = ({ kind, asset }: Extract<Segment, { asset: AssetRef }>): void => {
    const name = nameOf(asset);
    if (publishing.has(name)) return;
    const work = publish(asset, kind).then(
      (result) => void published.set(name, result),
      (error: unknown) => void published.set(name, { failed: reasonOf(error) }),
    );
    publishing.set(name, work);
  };

  return {
    push(batch) {
      queue = batch;
      at = 0;
      // Several assets of one batch are published side by side, and written in their order.
      for (const segment of batch)
        if ((segment.kind === 'image' || segment.kind === 'file') && writer.wants(segment.asset))
          publishOnce(segment);
    },
    pending: () => pending,
    take() {
      pending = null;
      const pieces: Written[] = [];
      while (at < queue.length) {
        const segment = queue[at] as Segment;
        if (segment.kind === 'finish' || segment.kind === 'error') {
          last = segment;
          queue = noSegments;
          pieces.push(writer.end());
          break;
        }
        if (segment.kind !== 'image' && segment.kind !== 'file') pieces.push(writer.write(segment));
        else if (writer.wants(segment.asset)) {
          const name = nameOf(segment.asset);
          const result = published.get(name);
          if (result === undefined) {
            pending = publishing.get(name) ?? null;
            break;
          }
          pieces.push(writer.write(segment, result));
        }
        at++;
      }
      if (pieces.length > 0) return joined(pieces);
      const part = last;
      last = null;
      return part;
    },
  };
}

function nameOf(asset: AssetRef): string {
  return asset.from === 'file' ? asset.pointer : `${asset.messageId} ${asset.path}`;
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
