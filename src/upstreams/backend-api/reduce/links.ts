import type { Link } from '../../../segments/segment.ts';
import { type ContentReference, listOf, type ReferenceItem } from '../decode/message.ts';
import { withoutTracking } from './tracking.ts';

/** A source of a reference: its link, and the name that is shown in the text. */
export type Source = Link & { readonly name: string };

/** Most sources of one reference. */
const maxSources = 32;
const longestUrl = 4096;

/** Whether a value is an address that can be linked. */
export function isLink(url: unknown): url is string {
  return typeof url === 'string' && url.length <= longestUrl && /^https?:\/\//.test(url) && URL.canParse(url);
}

/**
 * The sources of a reference, in the order of how much they say: its items with the websites that
 * support them, items that stand in for those, its own address, pictures, at last bare addresses.
 */
export function sourcesIn(reference: ContentReference): readonly Source[] {
  const items = listOf(reference.items).flatMap((item) => [item, ...listOf(item.supporting_websites)]);
  const listed = [items, listOf(reference.fallback_items), itemIn(reference), listOf(reference.sources)];
  for (const list of [...listed, [reference], listOf(reference.images)]) {
    const sources = collect(list);
    if (sources.length > 0) return sources;
  }
  const safe = Array.isArray(reference.safe_urls) ? reference.safe_urls : [];
  return collect(safe.map((url: unknown) => (typeof url === 'string' ? { url } : {})));
}

function itemIn({ item }: ContentReference): readonly ReferenceItem[] {
  return typeof item === 'object' && item !== null ? [item] : [];
}

function collect(items: readonly ReferenceItem[]): Source[] {
  const sources = new Map<string, Source>();
  for (const item of items.slice(0, maxSources)) {
    const address = [item.url, item.cloud_doc_url, item.content_url].find(isLink);
    if (address === undefined) continue;
    const url = withoutTracking(address);
    const title = typeof item.title === 'string' ? item.title : '';
    const attribution = typeof item.attribution === 'string' ? item.attribution : '';
    sources.set(url, { title, url, name: attribution || new URL(url).hostname });
  }
  return [...sources.values()].slice(0, maxSources);
}

/** The links of a Markdown text, read once from left to right. */
export function linksIn(markdown: string): Link[] {
  const links: Link[] = [];
  let from = 0;
  for (let at = markdown.indexOf('](http'); at >= 0; at = markdown.indexOf('](http', at + 2)) {
    const url = markdown.slice(at + 2, endOfAddress(markdown, at + 2));
    if (isLink(url)) {
      const before = markdown.slice(Math.max(from, at - 500), at);
      links.push({ title: before.slice(before.lastIndexOf('[') + 1), url });
    }
    from = at + 2;
    if (links.length >= maxSources) break;
  }
  return links;
}

/** Where an address ends: at a blank, at its bracket, or where another link's would begin. */
function endOfAddress(text: string, from: number): number {
  const limit = Math.min(text.length, from + longestUrl);
  let depth = 0;
  for (let i = from; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || (code === 0x5d && text.charCodeAt(i + 1) === 0x28)) return i;
    if (code === 0x28) depth++;
    if (code === 0x29 && depth-- === 0) return i;
  }
  return limit;
}

/** A link in Markdown, with a title that cannot end it. */
export function markdownLink(title: string, url: string): string {
  const name = title.replace(/[[\]\r\n]/g, ' ').trim();
  const address = url.replace(/[()\s]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `[${name || new URL(url).hostname}](${address})`;
}
