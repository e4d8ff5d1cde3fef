import type { Link, Segment } from '../../../segments/segment.ts';
import { isFinished, listOf, type Message, type SearchEntry, textOf } from '../decode/message.ts';
import { isLink } from './links.ts';
import { withoutTracking } from './tracking.ts';

/** Most queries of one call, most links of one result, and longest query. */
const [maxQueries, maxLinks, longestQuery] = [50, 200, 500];

/**
 * A step of searching, once it is finished: the queries of a call, or the links of a tool's result.
 */
export function searchOf(message: Message): Segment[] {
  if (!isFinished(message)) return [];
  const queries = message.author?.role === 'assistant' ? queriesIn(message) : [];
  const links = message.author?.role === 'tool' ? linksIn(message) : [];
  return queries.length + links.length > 0 ? [{ kind: 'search', queries, links }] : [];
}

/** The links of a message's search results, by the id that markers name: `turn0search1`. */
export function resultsOf(message: Message): readonly (readonly [string, Link])[] {
  return entriesOf(message).flatMap(({ title, url, ref_id: id }) => {
    if (!id || !isLink(url)) return [];
    const link = { title: title ?? '', url: withoutTracking(url) };
    return [[`turn${id.turn_index}${id.ref_type}${id.ref_index}`, link] as const];
  });
}

function entriesOf({ metadata }: Message): readonly SearchEntry[] {
  return listOf(metadata?.search_result_groups)
    .flatMap(({ entries }) => listOf(entries))
    .slice(0, maxLinks);
}

/** Calls come as `search("words")`, or as JSON with a list of queries. */
function queriesIn(message: Message): string[] {
  const text = textOf(message.content).trim();
  const called = calledQueries(text);
  if (called.length > 0) return called;
  const listed = parsed(text) as {
    search_query?: { q?: unknown }[];
    queries?: unknown[];
    query?: unknown;
  } | null;
  const queries = [
    ...(Array.isArray(listed?.search_query) ? listed.search_query : []).map((each) => each?.q),
    ...(Array.isArray(listed?.queries) ? listed.queries : []),
    listed?.query,
  ];
  return queries
    .filter((query): query is string => typeof query === 'string' && query !== '')
    .slice(0, maxQueries)
    .map((query) => query.slice(0, longestQuery));
}

/** The first string of each `search(…)` and `msearch(…)`, read once from left to right. */
function calledQueries(text: string): string[] {
  const queries: string[] = [];
  const call = /\bm?search\(/g;
  while (queries.length < maxQueries && call.exec(text)) {
    // Between the bracket and the string: blanks, `queries=` and `[`.
    const opening = /[\s[]{0,16}(?:queries[\s=]{1,8})?[\s[]{0,16}"/y;
    opening.lastIndex = call.lastIndex;
    if (!opening.test(text)) continue;
    const end = endOfString(text, opening.lastIndex);
    if (end < 0) continue;
    queries.push(unescaped(text.slice(opening.lastIndex, end)).slice(0, longestQuery));
    call.lastIndex = end + 1;
  }
  return queries;
}

function endOfString(text: string, from: number): number {
  const limit = Math.min(text.length, from + 4096);
  for (let i = from; i < limit; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

function linksIn(message: Message): Link[] {
  const { content, metadata } = message;
  const own = typeof content?.url === 'string' ? [{ title: content.title, url: content.url }] : [];
  const listed = listOf(metadata?._cite_metadata?.metadata_list);
  const links = new Map<string, Link>();
  for (const { title, url } of [...own, ...listed, ...entriesOf(message)].slice(0, maxLinks)) {
    if (!isLink(url)) continue;
    const address = withoutTracking(url);
    links.set(address, { title: title || address, url: address });
  }
  return [...links.values()];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unescaped(text: string): string {
  return String(parsed(`"${text}"`) ?? text);
}
