import type { Segment } from '../../../segments/segment.ts';
import { isFinished, listOf, type Message } from '../decode/message.ts';

type Part = {
  readonly content_type?: unknown;
  readonly asset_pointer?: unknown;
  readonly metadata?: { readonly dalle?: { readonly prompt?: unknown } | null } | null;
};

/**
 * The picture of one part of a message, if it can be shown by now. A `sediment://` pointer is
 * replaced while the picture is still drawn, so it counts only once the message is finished.
 * `known` holds the pointers that were shown, because snapshots repeat them.
 */
export function pictureOf(part: unknown, finished: boolean, known: Set<string>): Segment[] {
  if (typeof part !== 'object' || part === null) return [];
  const { content_type: type, asset_pointer: pointer, metadata } = part as Part;
  return type === 'image_asset_pointer' ? shown(pointer, metadata?.dalle?.prompt, finished, known) : [];
}

/** The pictures of a message that can be shown by now: drawn, or plotted by code. */
export function picturesOf(message: Message, known: Set<string>): Segment[] {
  const finished = isFinished(message);
  const parts = Array.isArray(message.content?.parts) ? message.content.parts : [];
  const drawn = parts.flatMap((part: unknown) => pictureOf(part, finished, known));
  const plotted = listOf(message.metadata?.aggregate_result?.messages).flatMap((each) =>
    each.message_type === 'image' ? shown(each.image_url, null, finished, known) : [],
  );
  return [...drawn, ...plotted];
}

function shown(pointer: unknown, prompt: unknown, finished: boolean, known: Set<string>): Segment[] {
  if (typeof pointer !== 'string' || known.has(pointer)) return [];
  const [, scheme, id] = /^(file-service|sediment):\/\/([\w.-]{1,200})/.exec(pointer) ?? [];
  if (!id || (scheme === 'sediment' && !finished)) return [];
  known.add(pointer);
  return [
    {
      kind: 'image',
      asset: { from: 'file', id, pointer },
      prompt: typeof prompt === 'string' && prompt !== '' ? prompt : null,
    },
  ];
}
