import { createFence } from './fence.ts';

/**
 * Writes running text, paragraphs and fenced blocks one after the other, a blank line between
 * blocks. Each function gives what is to be added.
 */
export function createBlockWriter() {
  let length = 0;
  let tail = '';
  /** The next text must begin a paragraph. */
  let isApart = false;
  let block: { id: string; fence: ReturnType<typeof createFence> } | null = null;

  const put = (text: string): string => {
    if (text === '') return text;
    length += text.length;
    tail = text.length > 1 ? text.slice(-2) : (tail + text).slice(-2);
    return text;
  };

  /** What must stand before a paragraph, so that a blank line does. */
  const gap = (): string => {
    if (length === 0 || tail === '\n\n') return '';
    return put(tail.endsWith('\n') ? '\n' : '\n\n');
  };

  /** Closes the open block. */
  const close = (): string => {
    if (!block) return '';
    const text = put(block.fence.end());
    block = null;
    isApart = true;
    return text;
  };

  /** What must stand before text that follows here. */
  const separate = (begins = false): string => {
    const text = close() + (isApart || begins ? gap() : '');
    isApart = false;
    return text;
  };

  return {
    length: (): number => length,
    close,
    separate: (): string => separate(),
    /** Running text; `begins` if it begins a paragraph. */
    inline(text: string, begins = false): string {
      if (text === '') return '';
      return block === null && !isApart && !begins ? put(text) : separate(begins) + put(text);
    },
    paragraph(text: string): string {
      if (text === '') return '';
      const written = close() + gap() + put(text);
      isApart = true;
      return written;
    },
    /** More text of the fenced block `id`, which is opened if it is not the open one. */
    fenced(id: string, language: string, text: string): string {
      if (block?.id === id) return put(block.fence.push(text));
      const before = close();
      const fence = createFence(language);
      block = { id, fence };
      const first = fence.push(text);
      return before + gap() + put(first);
    },
  };
}
