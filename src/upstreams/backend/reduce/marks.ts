import type { Link, Segment } from '../../../segments/segment.ts';
import type { Citation, ContentReference, Metadata } from '../decode/message.ts';

/** Where a mark, or the start of one, can stand: `【`, a private-use character, or the middle of a link to the sandbox. */
const start = /[\u3010\uE200-\uE2FF]|\]\(/;
const oldMark = /^【(\d{1,6})(?::\d{1,6})?†([^【】†]*)(?:†[^【】]*)?】/;
const oldMarkBegun = /^【(?:\d{0,6}|\d{1,6}:\d{0,6}|\d{1,6}(?::\d{1,6})?†[^【】]*)$/;
const sandbox = '](sandbox:';

/** Longest old mark that is waited for, in characters; past it the text goes out as it is. */
const longestOldMark = 64;
const longestLink = 1024;

/**
 * Finds inline marks in text that arrives in pieces, and makes of each what a reader can use. Text is held back only while it may still
 * become a mark, or while what the mark refers to has not come. `messageId` is the message whose sandbox the links name.
 */
export function createMarks(messageId: string) {
  let held = '';

  const drain = (metadata: Metadata | undefined, finished: boolean): Segment[] => {
    const out: Segment[] = [];
    while (held !== '') {
      const at = held.search(start);
      if (at < 0) {
        // A link to the sandbox may begin with the last character.
        const keep = !finished && held.endsWith(']') ? 1 : 0;
        plain(held.slice(0, held.length - keep), out);
        held = held.slice(held.length - keep);
        break;
      }
      plain(held.slice(0, at), out);
      held = held.slice(at);
      const taken = mark(metadata, finished, out);
      if (taken === 0) break;
      held = held.slice(taken);
    }
    return out;
  };

  /** Deals with the mark that `held` begins with; gives how many characters are done with, 0 to wait for more. */
  const mark = (metadata: Metadata | undefined, finished: boolean, out: Segment[]): number => {
    const first = held.charCodeAt(0);
    if (first === 0x3010) return numbered(metadata?.citations ?? [], finished, out);
    if (first !== 0x5d) return privateUse(metadata?.content_references ?? [], finished, out);
    return link(finished, out);
  };

  const numbered = (citations: readonly Citation[], finished: boolean, out: Segment[]): number => {
    const whole = oldMark.exec(held);
    if (whole) {
      const citation = citations.find(
        ({ metadata }) => metadata?.extra?.cited_message_idx === Number(whole[1]),
      );
      if (!citation && !finished) return 0;
      if (citation) out.push(...cited(citation, whole[1] as string));
      return whole[0].length;
    }
    if (!finished && held.length <= longestOldMark && oldMarkBegun.test(held)) return 0;
    plain('【', out);
    return 1;
  };

  const privateUse = (references: readonly ContentReference[], finished: boolean, out: Segment[]): number => {
    if (held.charCodeAt(0) !== 0xe200) return 1;
    const end = held.indexOf('\uE201');
    if (end < 0) return finished ? held.length : 0;
    const text = held.slice(0, end + 1);
    const reference = references.find((each) => each.matched_text === text && each.invalid !== true);
    if (!reference && !finished) return 0;
    out.push(...(reference ? referred(reference, text) : unreferred(text)));
    return text.length;
  };

  const link = (finished: boolean, out: Segment[]): number => {
    if (!held.startsWith(sandbox)) {
      if (!finished && sandbox.startsWith(held)) return 0;
      plain('](', out);
      return 2;
    }
    const end = endOfLink(held);
    if (end > 0) {
      out.push({
        kind: 'file',
        asset: { from: 'sandbox', path: held.slice(sandbox.length, end), messageId },
      });
      return end + 1;
    }
    if (!finished && end === 0 && held.length < longestLink) return 0;
    plain(sandbox, out);
    return sandbox.length;
  };

  return {
    /** More text of the message, and the metadata it has by now; `finished` where neither will grow. */
    push(text: string, metadata: Metadata | undefined, finished: boolean): Segment[] {
      if (held === '' && !finished && !start.test(text) && !text.endsWith(']')) {
        return text === '' ? [] : [{ kind: 'text', text }];
      }
      held += text;
      return drain(metadata, finished);
    },
  };
}

function plain(text: string, out: Segment[]): void {
  if (text === '') return;
  const last = out.at(-1);
  if (last?.kind === 'text') out[out.length - 1] = { kind: 'text', text: last.text + text };
  else out.push({ kind: 'text', text });
}

/** Where the closing bracket of a link stands, brackets in its path counted; 0 where it has not come, -1 where the line ended first. */
function endOfLink(text: string): number {
  let depth = 0;
  for (let i = sandbox.length; i < text.length; i++) {
    const character = text[i];
    if (character === '\n') return -1;
    if (character === '(') depth++;
    if (character === ')' && depth-- === 0) return i;
  }
  return 0;
}

function cited({ metadata }: Citation, number: string): Segment[] {
  const name = metadata?.title ?? metadata?.name ?? '';
  if (isLink(metadata?.url))
    return [
      {
        kind: 'citation',
        text: `[[${number}](${metadata.url})]`,
        links: [{ title: name, url: metadata.url }],
      },
    ];
  return name === '' ? [] : [{ kind: 'citation', text: ` [${name}]`, links: [] }];
}

function referred(reference: ContentReference, mark: string): Segment[] {
  const links: Link[] = (reference.items ?? []).flatMap(({ title, url }) =>
    isLink(url) ? [{ title: title ?? '', url }] : [],
  );
  if (reference.type === 'entity') return named(reference.alt || nameOf(mark));
  if (reference.alt)
    return [
      { kind: 'citation', text: reference.alt, links: links.length > 0 ? links : linksIn(reference.alt) },
    ];
  if (reference.type === 'file' && reference.name)
    return [{ kind: 'citation', text: ` [${reference.name}]`, links: [] }];
  if (links.length === 0) return unreferred(mark);
  const text = (reference.items ?? [])
    .filter(({ url }) => isLink(url))
    .map(({ url, attribution }) => `[${attribution || new URL(url as string).hostname}](${url})`)
    .join(', ');
  return [{ kind: 'citation', text: ` (${text})`, links }];
}

/** What remains of a mark that nothing explains: the name of an entity, the text of a link; else nothing. */
function unreferred(mark: string): Segment[] {
  const [kind, ...args] = mark.slice(1, -1).split('\uE202');
  if (kind === 'entity') return named(nameOf(mark));
  if (kind === 'url' && args[0])
    return isLink(args[1])
      ? [{ kind: 'citation', text: `[${args[0]}](${args[1]})`, links: [{ title: args[0], url: args[1] }] }]
      : named(args[0]);
  return [];
}

function named(name: string): Segment[] {
  return name === '' ? [] : [{ kind: 'text', text: name }];
}

/** An entity's own argument is a list: kind, name, what it is. */
function nameOf(mark: string): string {
  try {
    const list: unknown = JSON.parse(mark.slice(1, -1).split('\uE202')[1] ?? '');
    return Array.isArray(list) && typeof list[1] === 'string' ? list[1] : '';
  } catch {
    return '';
  }
}

function linksIn(markdown: string): Link[] {
  return [...markdown.matchAll(/\[([^\]]*)\]\((https?:[^)\s]+)/g)].map(([, title, url]) => ({
    title: title ?? '',
    url: url ?? '',
  }));
}

function isLink(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//.test(url) && URL.canParse(url);
}
