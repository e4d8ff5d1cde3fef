/** What the service adds to links: a parameter that says where the reader came from. */
const parameters = ['utm_source=chatgpt.com', 'utm_source=openai'] as const;
/** Longest parameter, and the two characters that show where it ends. */
const longest = parameters[0].length + 2;

/** Removes the tracking parameters of a link, or of all links in a text. */
export function withoutTracking(text: string): string {
  if (!text.includes('utm_source=')) return text;
  return text.replace(
    /([?&])utm_source=(?:chatgpt\.com|openai)(?:(&)|(?![\w-]|\.\w))/g,
    (_, lead: string, more: string | undefined) => (more === undefined ? '' : lead),
  );
}

/**
 * The length of the tracking parameter at `start`, its `?` or `&` included. 0 if it is none,
 * `wait` if the text ends before that is clear.
 */
export function trackingAt(text: string, start: number, isWhole: boolean): number | 'wait' {
  const rest = text.slice(start + 1, start + 1 + longest);
  for (const parameter of parameters) {
    if (!isWhole && (parameter.startsWith(rest) || rest === `${parameter}.`)) return 'wait';
    if (rest.startsWith(parameter) && !/^(?:[\w-]|\.\w)/.test(rest.slice(parameter.length)))
      return parameter.length + 1;
  }
  return 0;
}

/** How many of the last characters may be the beginning of a tracking parameter. */
export function heldTracking(text: string): number {
  const from = Math.max(0, text.length - longest);
  for (let i = text.length - 1; i >= from; i--) {
    const code = text.charCodeAt(i);
    if (code === 0x3f || code === 0x26) {
      const rest = text.slice(i + 1);
      return parameters.some((parameter) => parameter.startsWith(rest)) ? text.length - i : 0;
    }
    // Only the characters of a parameter can stand behind its beginning.
    if (!((code >= 0x61 && code <= 0x7a) || code === 0x5f || code === 0x3d || code === 0x2e)) return 0;
  }
  return 0;
}
