import type { Segment } from '../../../segments/segment.ts';
import { isFinished, type Message } from '../decode/message.ts';

type Part = {
  readonly content_type?: unknown;
  readonly asset_pointer?: unknown;
  readonly metadata?: { readonly dalle?: { readonly prompt?: unknown } | null } | null;
};

/**
 * The pictures of a message that can be shown by now. A `sediment://` pointer is replaced while the picture is still being drawn, so it counts
 * only once the message is finished. `known` holds the pointers that were shown, since snapshots repeat them.
 */
export function picturesOf(message: Message, known: Set<string>): Segment[] {
  const finished = isFinished(message);
  const drawn = ((message.content?.parts ?? []) as (Part | string | null)[]).flatMap((part) =>
    typeof part === 'object' && part?.content_type === 'image_asset_pointer'
      ? [{ pointer: part.asset_pointer, prompt: part.metadata?.dalle?.prompt }]
      : [],
  );
  const plotted = (message.metadata?.aggregate_result?.messages ?? []).flatMap((each) =>
    each.message_type === 'image' ? [{ pointer: each.image_url, prompt: null }] : [],
  );
  const out: Segment[] = [];
  for (const { pointer, prompt } of [...drawn, ...plotted]) {
    if (typeof pointer !== 'string' || known.has(pointer)) continue;
    const [, scheme, id] = /^(file-service|sediment):\/\/([\w.-]+)/.exec(pointer) ?? [];
    if (!id || (scheme === 'sediment' && !finished)) continue;
    known.add(pointer);
    out.push({
      kind: 'image',
      asset: { from: 'file', id, pointer },
      prompt: typeof prompt === 'string' && prompt !== '' ? prompt : null,
    });
  }
  return out;
}
