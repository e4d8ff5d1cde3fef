import { wrongParameter } from '../http/failure.ts';

/** The parameters of a chat request that are applied here. */
export type ChatParameters = {
  readonly stream: boolean;
  readonly count: number;
  readonly stop: readonly string[];
  readonly maxTokens: number | null;
  readonly includeUsage: boolean;
};

const maxCount = 8;

/**
 * Reads the parameters of a chat request that the gateway applies itself. Throws a 400 that names
 * the parameter. Sampling and function tools are ignored: the upstream takes none of them.
 */
export function chatParameters(request: Readonly<Record<string, unknown>>): ChatParameters {
  const {
    stream,
    n,
    stop,
    max_tokens: maxTokens,
    max_completion_tokens: maxCompletion,
    stream_options: options,
  } = request;
  if (!isAbsent(stream) && typeof stream !== 'boolean')
    throw wrongParameter('stream', 'must be true or false');
  const count = isAbsent(n) ? 1 : n;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > maxCount)
    throw wrongParameter('n', `must be a whole number from 1 to ${maxCount}`);
  const stops = isAbsent(stop) ? [] : Array.isArray(stop) ? stop : [stop];
  if (stops.length > 4 || stops.some((each) => typeof each !== 'string'))
    throw wrongParameter('stop', 'must be a text, or a list of at most 4');
  const limit = isAbsent(maxCompletion) ? maxTokens : maxCompletion;
  if (!isAbsent(limit) && (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)) {
    throw wrongParameter(
      isAbsent(maxCompletion) ? 'max_tokens' : 'max_completion_tokens',
      'must be a whole number from 1',
    );
  }
  return {
    stream: stream === true,
    count,
    stop: stops as string[],
    maxTokens: typeof limit === 'number' ? limit : null,
    includeUsage: (options as { include_usage?: unknown } | null | undefined)?.include_usage === true,
  };
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** All text of a request's messages, for counting. */
export function promptText(messages: unknown): string {
  if (!Array.isArray(messages)) return '';
  return messages
    .map((message: { content?: unknown } | null) => {
      const content = message?.content;
      if (typeof content === 'string') return content;
      if (!Array.isArray(content)) return '';
      return content
        .map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : ''))
        .join('\n');
    })
    .join('\n');
}
