import type { Segment } from '../../../segments/segment.ts';
import { isFinished, listOf, type Message } from '../decode/message.ts';

/** Most files of one message. */
const maxFiles = 20;

/** The files that a tool made and attached to its message, as links, each once. */
export function filesOf(message: Message, known: Set<string>): Segment[] {
  if (!isFinished(message) || message.author?.role !== 'tool') return [];
  const out: Segment[] = [];
  for (const { id, name, mime_type: type } of listOf(message.metadata?.attachments).slice(0, maxFiles)) {
    if (typeof id !== 'string' || !/^[\w.-]{1,200}$/.test(id) || known.has(id)) continue;
    known.add(id);
    if (typeof type === 'string' && type.startsWith('image/')) continue;
    const title = typeof name === 'string' && name !== '' ? name.replace(/[[\]\s]+/g, ' ') : id;
    const pointer = `${id.startsWith('file_') ? 'sediment' : 'file-service'}://${id}`;
    out.push(
      { kind: 'text', text: `[${title.slice(0, 200)}`, begins: true },
      { kind: 'file', asset: { from: 'file', id, pointer } },
    );
  }
  return out;
}
