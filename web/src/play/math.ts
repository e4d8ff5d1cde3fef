import type { TokenizerAndRendererExtension } from 'marked';

/** Longest formula, so that a lone opening mark does not make the rest of a text be searched. */
const maxLength = 2000;

/**
 * A formula between two marks, such as `\(` and `\)`. It is kept as it is: Markdown would remove
 * its backslashes.
 */
export function math(open: string, close: string, level: 'inline'): TokenizerAndRendererExtension {
  return {
    name: 'math',
    level,
    start: (text) => {
      const at = text.indexOf(open);
      return at < 0 ? undefined : at;
    },
    tokenizer(text) {
      if (!text.startsWith(open)) return undefined;
      const end = text.slice(0, maxLength).indexOf(close, open.length);
      return end < 0 ? undefined : { type: 'math', raw: text.slice(0, end + close.length) };
    },
  };
}
