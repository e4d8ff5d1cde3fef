import type { Link } from './segment.ts';

/** Private-use characters that the service marks its text with. None of them is for a reader. */
const privateUse = /[\uE200-\uE2FF]/;
const allPrivateUse = /[\uE200-\uE2FF]/g;

/** The last sieve: whatever path a text took, no marker character leaves. */
export function withoutPrivateUse(text: string): string {
  return privateUse.test(text) ? text.replace(allPrivateUse, '') : text;
}

/** The lines of a search step: what was searched for, and what was found. */
export function searchLines(queries: readonly string[], links: readonly Link[], isMarkdown: boolean): string {
  const lines = [
    ...queries.map((query) => `> Searched: ${oneLine(query)}`),
    ...links.map(({ title, url }) => `> - [${oneLine(title).replace(/[[\]]/g, '')}](${url})`),
  ];
  return isMarkdown ? lines.join('\n') : lines.map((line) => line.slice(2)).join('\n');
}

export function noticeOf(text: string, isMarkdown: boolean): string {
  return isMarkdown ? `> Note: ${text}` : `Note: ${text}`;
}

/** What a picture is called: the prompt it was drawn from. */
export function altOf(prompt: string | null): string {
  return oneLine(prompt ?? 'image')
    .replace(/[[\]]/g, '')
    .slice(0, 200);
}

/** An address that ends where its Markdown link does. */
export function linkable(url: string): string {
  return url.replace(/[\s()]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function oneLine(text: string): string {
  return withoutPrivateUse(text).replace(/\s+/g, ' ').trim();
}
