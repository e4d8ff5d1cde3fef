/** An answer that must be JSON: how the model learns it, and whether anything else is an error. */
export type JsonFormat = { readonly instruction: string; readonly isStrict: boolean };

/** Longest schema that the model gets, in characters. */
const longestSchema = 50_000;

/** Reads `response_format`; null if any text will do. */
export function jsonFormatOf({
  response_format: format,
}: Readonly<Record<string, unknown>>): JsonFormat | null {
  if (typeof format !== 'object' || format === null) return null;
  const { type, json_schema: named } = format as { type?: unknown; json_schema?: unknown };
  const rule = 'Answer with JSON alone: no words around it, no code fence, no links to sources.';
  if (type === 'json_object')
    return { instruction: `${rule} The answer is one JSON object.`, isStrict: false };
  if (type !== 'json_schema') return null;
  const { schema, strict } = (typeof named === 'object' && named !== null ? named : {}) as {
    schema?: unknown;
    strict?: unknown;
  };
  const text = schema === undefined ? '' : JSON.stringify(schema).slice(0, longestSchema);
  return {
    instruction: text === '' ? rule : `${rule} It must be valid by this JSON Schema: ${text}`,
    isStrict: strict === true,
  };
}

/**
 * Takes away a code fence around the whole of a text that arrives in pieces. Held back is only what
 * may be the fence: its first line, and its last.
 */
export function createFenceRemover() {
  let held = '';
  /** Whether the text began with a fence; null until that is clear. */
  let isFenced: boolean | null = null;

  const begin = (isOver: boolean): void => {
    const text = held.trimStart();
    const newline = text.indexOf('\n');
    if (!isOver && (text === '' || '```'.startsWith(text.slice(0, 3))) && newline < 0 && text.length < 30)
      return;
    isFenced = newline >= 3 && newline < 30 && text.startsWith('```');
    held = isFenced ? text.slice(newline + 1) : held;
  };

  return {
    push(text: string): string {
      held += text;
      if (isFenced === null) begin(false);
      if (isFenced === null) return '';
      // The last line may be the closing fence.
      const keep = isFenced ? held.length - lastLineStart(held) : 0;
      const out = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return out;
    },
    end(): string {
      if (isFenced === null) begin(true);
      const rest = held;
      held = '';
      return isFenced ? rest.replace(/(?:^|\n)```[ \t]{0,8}\n?$/, '') : rest;
    },
  };
}

/** Where the last line begins that holds anything, with the line end before it. */
function lastLineStart(text: string): number {
  let end = text.length;
  while (end > 0 && text.length - end < 8 && (text[end - 1] === '\n' || text[end - 1] === ' ')) end--;
  return Math.max(text.lastIndexOf('\n', end - 1), 0);
}

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
