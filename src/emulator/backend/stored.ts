import { messageOf, type TurnHead } from './encode.ts';
import type { Line } from './script.ts';

/**
 * A conversation as it is stored: the user's message, and the messages of the turn in one thread.
 */
export function storedConversation(lines: readonly Line[], head: TurnHead): object {
  const question = {
    id: 'question',
    author: { role: 'user' },
    content: { content_type: 'text', parts: [''] },
  };
  const mapping: Record<string, object> = {
    question: { id: 'question', parent: null, message: question },
  };
  let parent = 'question';
  for (const line of lines) {
    const id = head.newId();
    mapping[id] = { id, parent, message: messageOf(line, head, id, line.text ?? '', true) };
    parent = id;
  }
  return { conversation_id: head.conversationId, current_node: parent, mapping };
}
