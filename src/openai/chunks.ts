/** What a completion says of itself in every chunk. */
export type CompletionHead = { readonly id: string; readonly created: number; readonly model: string };

export type Usage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

export type UrlCitation = {
  readonly type: 'url_citation';
  readonly url_citation: {
    readonly start_index: number;
    readonly end_index: number;
    readonly title: string;
    readonly url: string;
  };
};

export type Finish = 'stop' | 'length' | 'content_filter' | 'tool_calls';

/**
 * The lines of a streamed completion, as the API's schema has them. What does not change is written
 * once; a delta costs the writing of its text.
 */
export function createChunkLines(head: CompletionHead, withUsage: boolean) {
  const id = JSON.stringify(head.id);
  const model = JSON.stringify(head.model);
  const common = `data: {"id":${id},"object":"chat.completion.chunk","created":${head.created},"model":${model},"system_fingerprint":null,`;
  const usage = withUsage ? ',"usage":null' : '';
  const line = (index: number, delta: string, finish: Finish | null) =>
    `${common}"choices":[{"index":${index},"delta":${delta},"logprobs":null,"finish_reason":${finish === null ? 'null' : `"${finish}"`}}]${usage}}\n\n`;
  return {
    role: (index: number) => line(index, '{"role":"assistant","content":""}', null),
    content: (index: number, text: string) => line(index, `{"content":${JSON.stringify(text)}}`, null),
    reasoning: (index: number, text: string) =>
      line(index, `{"reasoning_content":${JSON.stringify(text)}}`, null),
    annotations: (index: number, list: readonly UrlCitation[]) =>
      line(index, `{"annotations":${JSON.stringify(list)}}`, null),
    finish: (index: number, reason: Finish) => line(index, '{}', reason),
    usage: (value: Usage) => `${common}"choices":[],"usage":${JSON.stringify(value)}}\n\n`,
    done: () => 'data: [DONE]\n\n',
  };
}

/** One choice of a whole completion. */
export type Choice = {
  readonly content: string;
  readonly reasoning: string;
  readonly annotations: readonly UrlCitation[];
  readonly finish: Finish;
};

/** A whole completion. */
export function completion(
  head: CompletionHead,
  choices: readonly Choice[],
  usage: Usage,
): Record<string, unknown> {
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.created,
    model: head.model,
    system_fingerprint: null,
    choices: choices.map(({ content, reasoning, annotations, finish }, index) => ({
      index,
      message: {
        role: 'assistant',
        content,
        refusal: null,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(annotations.length === 0 ? {} : { annotations }),
      },
      logprobs: null,
      finish_reason: finish,
    })),
    usage,
  };
}
