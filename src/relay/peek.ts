/**
 * How much of a stream's beginning is looked at, in bytes, and for how long, in milliseconds,
 * before it is kept whatever it says.
 */
const maxBytes = 16 * 1024;
export const peekMs = 2000;

/**
 * Looks at the beginning of an event stream that may still be exchanged for another: an upstream
 * may say 200 and then begin with an error. Nothing is held longer than its first event takes to
 * come.
 */
export function createPeek() {
  const held: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  return {
    /**
     * Takes bytes; says whether they can be kept by now, are an error, or whether more must come.
     */
    push(bytes: Uint8Array): 'keep' | 'error' | 'more' {
      held.push(bytes);
      length += bytes.length;
      text += decoder.decode(bytes, { stream: true });
      for (;;) {
        const end = /\r\n\r\n|\n\n|\r\r/.exec(text);
        if (!end) return length >= maxBytes ? 'keep' : 'more';
        const event = text.slice(0, end.index);
        text = text.slice(end.index + end[0].length);
        const kind = kindOf(event);
        if (kind !== 'nothing') return kind;
      }
    },
    /** What was held, to be sent on. */
    take: (): readonly Uint8Array[] => held.splice(0),
  };
}

/**
 * What one event says: comments and empty ones nothing, an error that it is one, all else that the
 * stream is good.
 */
function kindOf(event: string): 'nothing' | 'error' | 'keep' {
  let name = '';
  const data: string[] = [];
  for (const line of event.split(/\r\n|\n|\r/)) {
    const [, field, value = ''] = /^(event|data):? ?(.*)$/.exec(line) ?? [];
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }
  if (data.length === 0) return 'nothing';
  if (name === 'error') return 'error';
  try {
    const value = JSON.parse(data.join('\n')) as Record<string, unknown> | null;
    const isError = Boolean(value?.error) || value?.type === 'error';
    return isError && !value?.choices ? 'error' : 'keep';
  } catch {
    return 'keep';
  }
}
