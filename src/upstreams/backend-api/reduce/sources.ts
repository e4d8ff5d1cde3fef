import type { Link, Segment } from '../../../segments/segment.ts';
import { type Citation, type ContentReference, listOf, type Metadata } from '../decode/message.ts';
import { isLink, linksIn, markdownLink, type Source, sourcesIn } from './links.ts';
import { withoutTracking } from './tracking.ts';

/** What a marker becomes, and whether a blank must stand before it. */
export type Made = { readonly segments: readonly Segment[]; readonly isApart: boolean };

const nothing: Made = { segments: [], isApart: false };

/**
 * The source of the marker `【message:line†…】`: one that names both, otherwise what all that name
 * the message agree on. Undefined if there is none, or none that is sure: a wrong link is worse
 * than none.
 */
export function sourceOf(
  citations: readonly Citation[],
  message: number,
  line: number | null,
): Citation | undefined {
  const named = citations.filter(({ metadata }) => metadata?.extra?.cited_message_idx === message);
  const exact =
    line === null ? undefined : named.find(({ metadata }) => metadata?.extra?.search_result_idx === line);
  if (exact || line === null) return exact ?? named[0];
  const identity = ({ metadata }: Citation) => metadata?.url ?? metadata?.name ?? metadata?.title;
  return named.every((each) => named[0] && identity(each) === identity(named[0])) ? named[0] : undefined;
}

/** A numbered marker as it reads: a link to its source, or the source's name. */
export function cited({ metadata }: Citation, number: string): Made {
  const name = metadata?.title || metadata?.name || '';
  if (isLink(metadata?.url)) {
    const url = withoutTracking(metadata.url);
    return made(`[[${number}](${url})]`, [{ title: name, url }], false);
  }
  return name === '' ? nothing : made(`[${name}]`, []);
}

/**
 * Whether a reference says what its marker means. Its ready-made text always does. Links do if the
 * text went on (`isPast`): until then the ready-made text may come.
 */
export function isReady(reference: ContentReference, isPast: boolean): boolean {
  if (isText(reference.alt)) return true;
  if (!isPast || reference.invalid === true || reference.status === 'loading') return false;
  return sourcesIn(reference).length > 0 || isText(reference.name);
}

/** The reference of a marker: one that is ready, otherwise the first. */
export function referenceFor(marker: string, metadata: Metadata | undefined): ContentReference | undefined {
  const matching = listOf(metadata?.content_references).filter(({ matched_text }) => matched_text === marker);
  return matching.find((each) => isReady(each, true)) ?? matching[0];
}

/** A marker as its reference has it: text that is made already, links, or a name. */
export function referred(reference: ContentReference, marker: string): Made {
  const sources = sourcesIn(reference);
  const [kind] = partsOf(marker);
  if (reference.type === 'entity' || kind === 'entity')
    return named(text(reference.alt) || text(reference.name) || nameIn(marker));
  if (isText(reference.alt)) {
    const alt = withoutTracking(reference.alt);
    return made(alt, sources.length > 0 ? sources : linksIn(alt), false);
  }
  if (kind === 'product_entity' || reference.type === 'product_entity') return product(sources, marker);
  if (sources.length === 0) {
    const name = text(reference.name) || text(reference.title);
    return name !== '' && /file/.test(`${reference.type} ${kind}`) ? made(`[${name}]`, []) : nothing;
  }
  switch (reference.type) {
    case 'nav_list': {
      const title = text(reference.title);
      const list = sources.map((source) => markdownLink(source.title || source.name, source.url));
      return made(`${title === '' ? '' : `${title}: `}${list.join(', ')}`, sources);
    }
    case 'file':
      return made(linkTo(sources[0] as Source, text(reference.name)), sources);
    case 'video':
    case 'image_v2':
    case 'image_group':
    case 'image_inline':
    case 'products':
    case 'product_group':
      return made(sources.map((source) => linkTo(source, source.title)).join(', '), sources);
    default:
      return made(`(${sources.map(({ name, url }) => markdownLink(name, url)).join(', ')})`, sources);
  }
}

/**
 * What remains of a marker that nothing explains: the results it names, the name of an entity or
 * of a product, the text of a link. Otherwise nothing.
 */
export function unreferred(marker: string, results: ReadonlyMap<string, Link> = new Map()): Made {
  const [kind, ...args] = partsOf(marker);
  if (kind === 'entity' || kind === 'product_entity') return named(nameIn(marker));
  if (kind === 'url' && args[0]) {
    if (!isLink(args[1])) return named(args[0]);
    const url = withoutTracking(args[1]);
    const link = { title: args[0], url };
    const citation = { kind: 'citation', text: markdownLink(args[0], url), plain: args[0], links: [link] };
    return { segments: [citation as Segment], isApart: false };
  }
  const links = args.flatMap((arg) => results.get(arg) ?? []);
  if (kind !== 'cite' || links.length === 0) return nothing;
  const list = links.map(({ url }) => markdownLink(new URL(url).hostname, url));
  return made(`(${list.join(', ')})`, links);
}

function made(markdown: string, links: readonly Link[], isApart = true): Made {
  const plainLinks = links.map(({ title, url }) => ({ title, url }));
  return { segments: [{ kind: 'citation', text: markdown, links: plainLinks }], isApart };
}

function named(name: string): Made {
  return name === '' ? nothing : { segments: [{ kind: 'text', text: name }], isApart: false };
}

/** A product stands in a sentence: its name, linked if there is a link. */
function product(sources: readonly Source[], marker: string): Made {
  const [first] = sources;
  const name = nameIn(marker) || first?.title || '';
  if (!first || name === '') return named(name);
  return {
    segments: [
      {
        kind: 'citation',
        text: markdownLink(name, first.url),
        plain: name,
        links: sources.map(({ title, url }) => ({ title, url })),
      },
    ],
    isApart: false,
  };
}

function linkTo({ name, url }: Source, title: string): string {
  return markdownLink(title || name, url);
}

function partsOf(marker: string): string[] {
  return marker.slice(1, -1).split('\uE202');
}

/** An entity's own argument is a list: kind, name, what it is. */
function nameIn(marker: string): string {
  try {
    const list: unknown = JSON.parse(partsOf(marker)[1] ?? '');
    const name: unknown = Array.isArray(list) ? list[1] : null;
    return typeof name === 'string' ? name : '';
  } catch {
    return '';
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
