import type { Segment } from '../../../segments/segment.ts';
import { isFinished, listOf, type Message, textOf } from '../decode/message.ts';
import { createMarkedText, type MarkedText } from './marked-text.ts';

/** Most thoughts of one message. */
const maxThoughts = 1000;

/** Thinking as it grows, without markers. Each thought is a paragraph. */
export function createReasoning() {
  const texts: MarkedText[] = [];

  const grow = (index: number, text: string, appended: string | null, finished: boolean): Segment[] => {
    const isNew = texts[index] === undefined;
    const marked = texts[index] ?? createMarkedText({ messageId: null, waits: false });
    texts[index] = marked;
    let begins = isNew;
    let added = '';
    for (const each of marked.push(text, appended, undefined, finished ? 'closed' : 'growing')) {
      if (each.kind === 'text') added += each.text;
      else if (each.kind === 'citation') added += each.plain ?? '';
      else if (each.kind === 'notice') {
        // A thought that changed is thought again.
        begins = true;
        added = '';
      }
    }
    if (added === '') {
      if (isNew) texts.length = index;
      return [];
    }
    return [{ kind: 'reasoning', text: added, ...(begins ? { begins } : {}) }];
  };

  return {
    push(message: Message, appended: string | null): Segment[] {
      const finished = isFinished(message);
      if (message.content?.content_type !== 'thoughts')
        return grow(0, textOf(message.content), appended, finished);
      const thoughts = listOf(message.content.thoughts).slice(0, maxThoughts);
      return thoughts.flatMap((thought, i) => {
        const isOver = finished || i < thoughts.length - 1;
        return grow(i, wordsOf(thought), null, isOver);
      });
    },
  };
}

export type Reasoning = ReturnType<typeof createReasoning>;

/** A thought: its summary, and what it says. */
function wordsOf({ summary, content }: { readonly summary?: string; readonly content?: string }): string {
  return [summary, content].filter((part) => typeof part === 'string' && part !== '').join(': ');
}
