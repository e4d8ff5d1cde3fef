import type { Link, Segment } from '../../../segments/segment.ts';
import { isFinished, type Message, textOf } from '../decode/message.ts';

/** A step of searching, told once it is finished: what was asked for in a call, what was found in a tool's answer. */
export function searchOf(message: Message): Segment[] {
  if (!isFinished(message)) return [];
  const queries = message.author?.role === 'assistant' ? queriesIn(message) : [];
  const links = message.author?.role === 'tool' ? linksIn(message) : [];
  return queries.length + links.length > 0 ? [{ kind: 'search', queries, links }] : [];
}

/** Calls come as `search("words")`, or as JSON with a list of queries. */
function queriesIn(message: Message): string[] {
  const text = textOf(message.content).trim();
  const called = [
    ...text.matchAll(/\b(?:search|msearch)\(\s*(?:queries\s*=\s*)?\[?\s*"((?:[^"\\]|\\.)*)"/g),
  ].map(([, query]) => unescaped(query ?? ''));
  if (called.length > 0) return called;
  const listed = parsed(text) as {
    search_query?: { q?: unknown }[];
    queries?: unknown[];
    query?: unknown;
  } | null;
  const queries = [
    ...(listed?.search_query ?? []).map(({ q }) => q),
    ...(listed?.queries ?? []),
    listed?.query,
  ];
  return queries.filter((query): query is string => typeof query === 'string' && query !== '');
}

function linksIn({ content, metadata }: Message): Link[] {
  const own = typeof content?.url === 'string' ? [{ title: content.title, url: content.url }] : [];
  const listed = metadata?._cite_metadata?.metadata_list ?? [];
  const grouped = (metadata?.search_result_groups ?? []).flatMap(({ entries }) => entries ?? []);
  const links = new Map<string, Link>();
  for (const { title, url } of [...own, ...listed, ...grouped]) {
    if (typeof url === 'string' && /^https?:\/\//.test(url)) links.set(url, { title: title || url, url });
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
