import { createBlockWriter } from './block-writer.ts';
import { altOf, linkable, noticeOf, oneLine, searchLines, withoutPrivateUse } from './markdown.ts';
import type { AssetRef, Link, Segment } from './segment.ts';
import type { Style } from './style.ts';

/** An asset that a reader can see, or the reason why not. */
export type Published =
  /** `isShortLived`: the gateway could not store it, and links the upstream's copy. */
  { readonly url: string; readonly isShortLived?: boolean } | { readonly failed: string };

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
const shortLived = 'the gateway could not store it, so this link works for a short time only';
const notFetched: Published = { failed: 'it was not fetched' };

/**
 * Segments → text. Blocks stand apart from what is around them, and a fence is closed when the kind
 * changes, whatever comes next. Joined, what `write` and `end` give is the whole answer.
 */
export function createWriter(style: Style) {
  const body = createBlockWriter();
  const thinking = createBlockWriter();

  const cited = (text: string, left: string, links: readonly Link[]): Written => {
    if (!style.citations) return content(body.inline(left));
    const before = body.separate();
    const start = body.length();
    const written = before + body.inline(text);
    const end = body.length();
    return { ...content(written), annotations: annotate(links, start, end) };
  };

  const image = (published: Published, prompt: string | null): string => {
    if ('failed' in published)
      return body.paragraph(noticeOf(`a picture could not be fetched: ${published.failed}`, style.markdown));
    if (style.images === 'none') return '';
    const link = style.images === 'link' ? published.url : `![${altOf(prompt)}](${linkable(published.url)})`;
    const picture = body.paragraph(link);
    return published.isShortLived === true
      ? picture + body.paragraph(noticeOf(shortLived, style.markdown))
      : picture;
  };

  const file = (published: Published): string => {
    if ('failed' in published) return body.inline(`] (file unavailable: ${published.failed})`);
    const link = `](${linkable(published.url)})`;
    return body.inline(published.isShortLived === true ? `${link} (${shortLived})` : link);
  };

  const block = (segment: Extract<Segment, { kind: 'code' | 'output' }>): Written => {
    if (!style.toolOutput) return nothing;
    const language = segment.kind === 'code' ? segment.language : '';
    const text = withoutPrivateUse(segment.text);
    return segment.isPrivate === true
      ? { ...nothing, reasoning: thinking.fenced(segment.block, language, text) }
      : content(body.fenced(segment.block, language, text));
  };

  const document = (segment: Extract<Segment, { kind: 'document' }>): string => {
    const title = body.paragraph(`**${oneLine(segment.title)}**`);
    const { text, language } = segment;
    if (typeof language !== 'string' || !style.markdown) return title + body.paragraph(text);
    return title + body.fenced(`document ${segment.title}`, language, text) + body.close();
  };

  const write = (segment: Segment, published: Published = notFetched): Written => {
    switch (segment.kind) {
      case 'text':
        return content(body.inline(withoutPrivateUse(segment.text), segment.begins));
      case 'reasoning':
        return {
          ...nothing,
          reasoning: thinking.inline(withoutPrivateUse(segment.text), segment.begins),
        };
      case 'code':
      case 'output':
        return block(segment);
      case 'citation':
        return cited(withoutPrivateUse(segment.text), segment.plain ?? '', segment.links);
      case 'search': {
        const lines = searchLines(segment.queries, segment.links, style.markdown);
        return style.toolOutput ? content(body.paragraph(withoutPrivateUse(lines))) : nothing;
      }
      case 'sources':
        return style.citations
          ? { ...nothing, annotations: annotate(segment.links, body.length(), body.length()) }
          : nothing;
      case 'image':
        return content(image(published, segment.prompt));
      case 'file':
        return content(file(published));
      case 'document':
        return content(document(segment));
      case 'notice':
        return content(body.paragraph(noticeOf(withoutPrivateUse(segment.text), style.markdown)));
      default:
        return nothing;
    }
  };

  return {
    /** Whether an asset need be published at all to write this. */
    wants: (asset: AssetRef): boolean => asset.from === 'sandbox' || style.images !== 'none',
    write,
    /** Closes what is open. */
    end: (): Written => ({ ...content(body.close()), reasoning: thinking.close() }),
  };
}

function annotate(links: readonly Link[], start: number, end: number): Annotation[] {
  return links.map(({ title, url }) => ({ start, end, title: withoutPrivateUse(title), url }));
}

function content(text: string): Written {
  return text === '' ? nothing : { content: text, reasoning: '', annotations: [] };
}
