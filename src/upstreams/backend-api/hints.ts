/** What a request wishes for beyond its messages, as the upstream understands it. */
export type Hints = {
  /** How much to think; null to leave it to the upstream. */
  readonly effort: string | null;
  /** Tools that are to be used: `search`, `picture_v2`. */
  readonly systemHints: readonly string[];
};

export const noHints: Hints = { effort: null, systemHints: [] };

/** The upstream's words for an effort. It answers OpenAI's own words with a 422. */
const efforts: Readonly<Record<string, string>> = {
  none: 'standard',
  minimal: 'standard',
  low: 'standard',
  medium: 'extended',
  high: 'max',
  xhigh: 'max',
};

const toolHints: readonly (readonly [RegExp, string])[] = [
  [/^web_search/, 'search'],
  [/^image_generation$/, 'picture_v2'],
];
const knownHints = new Set(['search', 'picture_v2']);

/** Reads `reasoning_effort`, `web_search_options`, and tools that search or draw. */
export function hintsIn(request: Readonly<Record<string, unknown>>): Hints {
  const {
    reasoning_effort: effort,
    reasoning,
    web_search_options: search,
    tools,
    system_hints: own,
  } = request;
  const wanted =
    typeof effort === 'string' ? effort : (reasoning as { effort?: unknown } | null | undefined)?.effort;
  const hints = new Set<string>();
  if (typeof search === 'object' && search !== null) hints.add('search');
  for (const tool of Array.isArray(tools) ? tools : []) {
    const type = (tool as { type?: unknown } | null)?.type;
    const hint = typeof type === 'string' ? toolHints.find(([pattern]) => pattern.test(type)) : undefined;
    if (hint) hints.add(hint[1]);
  }
  for (const hint of Array.isArray(own) ? own : [])
    if (typeof hint === 'string' && knownHints.has(hint)) hints.add(hint);
  return {
    effort: typeof wanted === 'string' && Object.hasOwn(efforts, wanted) ? (efforts[wanted] as string) : null,
    systemHints: [...hints],
  };
}
