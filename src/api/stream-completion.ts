import type { RecordFields } from '../call.ts';
import { errorEvent, toFailure } from '../http/failure.ts';
import { type CompletionHead, createChunkLines, type Usage } from '../openai/chunks.ts';
import { createEventStream, type Source } from '../relay/event-stream.ts';
import { type HeartbeatSetting, heartbeat, heartbeatStyle } from '../relay/heartbeat.ts';
import { streamFailure } from '../upstreams/backend-api/refusals.ts';
import type { ChatParameters } from './chat-request.ts';
import type { ChoicePart, Choices } from './choices.ts';
import { settledWithin } from './json-heartbeat.ts';
import { recordFailure } from './record-failure.ts';

export type StreamOptions = {
  readonly head: CompletionHead;
  readonly parameters: ChatParameters;
  /** Seconds of silence after which the stream gets a heartbeat; 0 for never. */
  readonly keepAlive: number;
  readonly keepAliveStyle: HeartbeatSetting;
  readonly usageOf: (answer: string) => Usage;
  readonly record: RecordFields;
};

/**
 * How long an error before the first part can still become a status, if `keepAlive` does not say.
 */
const earlyMs = 10_000;

/**
 * A completion as a stream of chunks. An error before the first part is thrown, so that it becomes
 * a status or another upstream is asked. A later one ends the stream with an error event and no
 * `[DONE]`, and is recorded.
 */
export async function streamCompletion(choices: Choices, options: StreamOptions): Promise<Response> {
  const { keepAlive, record } = options;
  const first = choices.next();
  const early = await settledWithin(first, keepAlive > 0 ? keepAlive * 1000 : earlyMs).catch(
    (error: unknown) => {
      choices.leave();
      throw error;
    },
  );
  if (early?.kind === 'error') {
    choices.leave();
    throw streamFailure(early.message, early.code);
  }
  const style = heartbeatStyle(options.keepAliveStyle, '/v1/chat/completions');
  const stream = createEventStream(chunkSource(first, choices, options), {
    keepAlive,
    heartbeat: () => heartbeat(style, null, options.head),
    errorEvent(error) {
      const failure = toFailure(error);
      recordFailure(record, failure);
      return errorEvent(failure);
    },
  });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

/** The bytes of the stream. A read fails with the error of the answer. */
function chunkSource(
  first: Promise<ChoicePart | null>,
  choices: Choices,
  { head, parameters, usageOf }: StreamOptions,
): Source {
  const encoder = new TextEncoder();
  const lines = createChunkLines(head, parameters.includeUsage);
  let stage: 'roles' | 'first' | 'parts' | 'over' = 'roles';
  let answer = '';

  const write = (part: ChoicePart): string => {
    const { index } = part;
    if (part.kind === 'error') throw streamFailure(part.message, part.code);
    if (part.kind === 'finish') return lines.finish(index, part.reason);
    const { content, reasoning, annotations } = part;
    if (parameters.includeUsage) answer += content + reasoning;
    let out = reasoning === '' ? '' : lines.reasoning(index, reasoning);
    if (content !== '') out += lines.content(index, content);
    if (annotations.length > 0) out += lines.annotations(index, annotations);
    return out;
  };
  const chunk = (text: string) => ({ done: false, value: encoder.encode(text) }) as const;

  return {
    async read() {
      if (stage === 'over') return { done: true, value: undefined };
      if (stage === 'roles') {
        stage = 'first';
        return chunk(Array.from({ length: parameters.count }, (_, index) => lines.role(index)).join(''));
      }
      try {
        const part = stage === 'first' ? await first : await choices.next();
        stage = 'parts';
        if (part) return chunk(write(part));
        stage = 'over';
        return chunk((parameters.includeUsage ? lines.usage(usageOf(answer)) : '') + lines.done());
      } catch (error) {
        stage = 'over';
        choices.leave();
        throw error;
      }
    },
    async cancel() {
      stage = 'over';
      choices.leave();
    },
  };
}
