import { createFence } from './fence.ts';
import type { AssetRef, Link, Segment } from './segment.ts';
import type { Style } from './style.ts';

/** An asset that a reader can see, or the reason why not. */
export type Published = { readonly url: string } | { readonly failed: string };

/** A source, and where in the content it is cited (in UTF-16 units). */
export type Annotation = {
  readonly start: number;
  readonly end: number;
  readonly title: string;
  readonly url: string;
};

/** What a segment adds to an answer. */
export type Written = {
  readonly content: string;
  readonly reasoning: string;
  readonly annotations: readonly Annotation[];
};

const nothing: Written = { content: '', reasoning: '', annotations: [] };

/**
 * Segments → text. Blocks stand apart from what is around them, and a fence is closed where the kind changes, whatever comes next. Joined, what
 * `write` and `end` give is the whole answer.
 */
export function createWriter(style: Style) {
  let length = 0;
  let tail = '';
  let reasoned = false;
  /** The next text must begin a paragraph of its own. */
  let apart = false;
  let block: { id: string; fence: ReturnType<typeof createFence> } | null = null;

  const put = (content: string): string => {
    length += content.length;
    tail = (tail + content).slice(-2);
    return content;
  };

  /** What must stand before a paragraph, so that a blank line does. */
  const gap = (): string => {
    if (length === 0 || tail === '\n\n') return '';
    return put(tail.endsWith('\n') ? '\n' : '\n\n');
  };

  const close = (): string => {
    if (!block) return '';
    const out = put(block.fence.end());
    block = null;
    apart = true;
    return out;
  };

  const inline = (text: string, begins = false): string => {
    if (text === '') return '';
    const before = close() + (apart || begins ? gap() : '');
    apart = false;
    return before + put(text);
  };

  const paragraph = (text: string): string => {
    if (text === '') return '';
    const out = close() + gap() + put(text);
    apart = true;
    return out;
  };

  const fenced = (id: string, language: string, text: string): string => {
    if (block?.id === id) return put(block.fence.push(text));
    const before = close();
    const fence = createFence(language);
    block = { id, fence };
    const first = fence.push(text);
    return before + gap() + put(first);
  };

  const cited = (text: string, left: string, links: readonly Link[]): Written => {
    if (!style.citations) return content(inline(left));
    const before = inline('', false);
    const start = length;
    const written = before + inline(text);
    return {
      content: written,
      reasoning: '',
      annotations: links.map(({ title, url }) => ({ start, end: length, title, url })),
    };
  };

  const image = (published: Published, prompt: string | null): string => {
    if ('failed' in published)
      return paragraph(noticeOf(`a picture could not be fetched: ${published.failed}`, style));
    if (style.images === 'none') return '';
    return paragraph(
      style.images === 'link' ? published.url : `![${altOf(prompt)}](${linkable(published.url)})`,
    );
  };

  const file = (published: Published): string =>
    inline(
      'failed' in published ? `] (file unavailable: ${published.failed})` : `](${linkable(published.url)})`,
    );

  const search = (queries: readonly string[], links: readonly Link[]): string => {
    const lines = [
      ...queries.map((query) => `> Searched: ${oneLine(query)}`),
      ...links.map(({ title, url }) => `> - [${oneLine(title).replace(/[[\]]/g, '')}](${url})`),
    ];
    return paragraph(style.markdown ? lines.join('\n') : lines.map((line) => line.slice(2)).join('\n'));
  };

  return {
    /** Whether an asset need be published at all to write this. */
    wants: (asset: AssetRef): boolean => asset.from === 'sandbox' || style.images !== 'none',
    write(segment: Segment, published?: Published): Written {
      switch (segment.kind) {
        case 'text':
          return content(inline(segment.text, segment.begins));
        case 'reasoning': {
          const reasoning = (segment.begins && reasoned ? '\n\n' : '') + segment.text;
          reasoned = true;
          return { ...nothing, reasoning };
        }
        case 'code':
          return style.toolOutput ? content(fenced(segment.block, segment.language, segment.text)) : nothing;
        case 'output':
          return style.toolOutput ? content(fenced(segment.block, '', segment.text)) : nothing;
        case 'citation':
          return cited(segment.text, segment.plain ?? '', segment.links);
        case 'search':
          return style.toolOutput ? content(search(segment.queries, segment.links)) : nothing;
        case 'image':
          return content(image(published ?? { failed: 'nobody fetched it' }, segment.prompt));
        case 'file':
          return content(file(published ?? { failed: 'nobody fetched it' }));
        case 'document':
          return content(paragraph(`**${oneLine(segment.title)}**`) + paragraph(segment.text));
        case 'notice':
          return content(paragraph(noticeOf(segment.text, style)));
        default:
          return nothing;
      }
    },
    /** Closes what is open. */
    end: (): Written => content(close()),
  };
}

function content(text: string): Written {
  return text === '' ? nothing : { content: text, reasoning: '', annotations: [] };
}

function noticeOf(text: string, style: Style): string {
  return style.markdown ? `> Note: ${text}` : `Note: ${text}`;
}

function altOf(prompt: string | null): string {
  return oneLine(prompt ?? 'image')
    .replace(/[[\]]/g, '')
    .slice(0, 200);
}

/** An address that ends where its Markdown link does. */
function linkable(url: string): string {
  return url.replace(/[\s()]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
