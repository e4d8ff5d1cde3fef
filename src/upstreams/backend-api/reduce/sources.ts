import type { Link, Segment } from '../../../segments/segment.ts';
import { type Citation, type ContentReference, listOf } from '../decode/message.ts';

/**
 * The source of the mark `【message:line†…】`: one that names both, else what all that name the message agree on. Undefined where there is none, or
 * none that is sure: a wrong link is worse than none.
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

/** A numbered mark as it reads: a link to its source, or the source's name. */
export function cited({ metadata }: Citation, number: string): Segment[] {
  const name = metadata?.title || metadata?.name || '';
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

/** A private-use mark as its reference has it: text that is made already, links, or a name. */
export function referred(reference: ContentReference, mark: string): Segment[] {
  const items = listOf(reference.items);
  const links: Link[] = items.flatMap(({ title, url }) => (isLink(url) ? [{ title: title ?? '', url }] : []));
  if (reference.type === 'entity') return named(reference.alt || nameOf(mark));
  if (reference.alt)
    return [
      { kind: 'citation', text: reference.alt, links: links.length > 0 ? links : linksIn(reference.alt) },
    ];
  if (reference.type === 'file' && reference.name)
    return [{ kind: 'citation', text: ` [${reference.name}]`, links: [] }];
  if (links.length === 0) return unreferred(mark);
  const text = items
    .filter(({ url }) => isLink(url))
    .map(({ url, attribution }) => `[${attribution || new URL(url as string).hostname}](${url})`)
    .join(', ');
  return [{ kind: 'citation', text: ` (${text})`, links }];
}

/** What remains of a mark that nothing explains: the name of an entity, the text of a link; else nothing. */
export function unreferred(mark: string): Segment[] {
  const [kind, ...args] = mark.slice(1, -1).split('\uE202');
  if (kind === 'entity') return named(nameOf(mark));
  if (kind === 'url' && args[0])
    return isLink(args[1])
      ? [
          {
            kind: 'citation',
            text: `[${args[0]}](${args[1]})`,
            plain: args[0],
            links: [{ title: args[0], url: args[1] }],
          },
        ]
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

function isLink(url: unknown): url is string {
  return typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url);
}
