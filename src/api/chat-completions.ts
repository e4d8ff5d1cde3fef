import type { Call } from '../call.ts';
import { errorEvent, Failure } from '../http/failure.ts';
import type { JsonBody } from '../http/json-body.ts';
import {
  type Choice,
  type CompletionHead,
  completion,
  createChunkLines,
  type Usage,
} from '../openai/chunks.ts';
import { estimateTokens } from '../openai/tokens.ts';
import type { Ports } from '../ports/ports.ts';
import { carryEventStream, type Source } from '../relay/event-stream.ts';
import { json } from '../reply.ts';
import { writeAnswer } from '../segments/answer.ts';
import type { Style } from '../segments/style.ts';
import { streamFailure } from '../upstreams/backend-api/refusals.ts';
import type { Served } from '../upstreams/model-router.ts';
import { type ChatParameters, chatParameters, promptText } from './chat-request.ts';
import { type ChoicePart, choiceOf, merged, paced } from './choices.ts';
import { requestDeadline } from './deadline.ts';
import { jsonWithHeartbeat, settledWithin } from './json-heartbeat.ts';

export type ConversionOptions = {
  readonly style: Style;
  /** Seconds of silence after which a stream gets a comment. */
  readonly keepAlive: number;
  /** Seconds for a whole answer; 0 for no limit. */
  readonly totalTimeout: number;
  /** Whether answers that are not streamed begin with spaces while they are awaited. */
  readonly nonStreamKeepAlive: boolean;
  /** Milliseconds between two pieces; 0 for as they come. */
  readonly pace: number;
};

type Conversation = Extract<Served, { kind: 'backend-api' }>;
type Parts = AsyncGenerator<readonly [number, ChoicePart]>;

/** `POST /v1/chat/completions` at an upstream whose answers are put together here. */
export function createChatCompletions(options: ConversionOptions, ports: Ports) {
  return async (call: Call, body: JsonBody, served: Conversation): Promise<Response> => {
    const parameters = chatParameters(body.value);
    const head: CompletionHead = {
      id: `chatcmpl-${call.id.slice(4)}`,
      created: Math.floor(ports.tasks.now() / 1000),
      model: String(body.value.model),
    };
    const { signal, abort: giveUp } = requestDeadline(call, options.totalTimeout);
    const counter =
      parameters.stream && !parameters.includeUsage && parameters.maxTokens === null
        ? null
        : await ports.tokenizer();
    const countTokens = counter ?? estimateTokens;
    const spoken = await Promise.all(
      Array.from({ length: parameters.count }, () =>
        served.upstream.chat(call, body.value, served.model, signal),
      ),
    ).catch((error: unknown) => {
      giveUp();
      throw error;
    });
    const choices = spoken.map(({ batches, publish }) => {
      const choice = choiceOf(writeAnswer(batches, options.style, publish), {
        stop: parameters.stop,
        maxTokens: parameters.maxTokens,
        countTokens,
      });
      return options.pace > 0 && parameters.stream ? paced(choice, options.pace) : choice;
    });
    const usageOf = (answer: string): Usage => {
      const [asked, told] = [countTokens(promptText(body.value.messages)), countTokens(answer)];
      const usage = { prompt_tokens: asked, completion_tokens: told, total_tokens: asked + told };
      return counter ? usage : { ...usage, ...estimated };
    };
    const parts = merged(choices);
    if (parameters.stream) return streamed(parts, head, parameters, options.keepAlive, usageOf);
    return options.nonStreamKeepAlive
      ? jsonWithHeartbeat(whole(parts, head, parameters.count, usageOf), options.keepAlive, () =>
          parts.return(undefined),
        )
      : json(await whole(parts, head, parameters.count, usageOf));
  };
}

/** Says of a usage that nobody counted it. */
const estimated = { estimated: true };

/** Gathers a whole completion. Throws where an answer ended in an error: half an answer is no success. */
async function whole(
  parts: Parts,
  head: CompletionHead,
  count: number,
  usageOf: (answer: string) => Usage,
): Promise<Record<string, unknown>> {
  const choices = Array.from({ length: count }, () => ({
    content: '',
    reasoning: '',
    annotations: [] as Choice['annotations'][number][],
    finish: 'stop' as Choice['finish'],
  }));
  for await (const [index, part] of parts) {
    const choice = choices[index];
    if (!choice) continue;
    if (part.kind === 'error') throw streamFailure(part.message, part.code);
    if (part.kind === 'finish') choice.finish = part.reason;
    else {
      choice.content += part.content;
      choice.reasoning += part.reasoning;
      choice.annotations.push(...part.annotations);
    }
  }
  return completion(
    head,
    choices,
    usageOf(choices.map(({ content, reasoning }) => content + reasoning).join('')),
  );
}

/** A stream of chunks. What goes wrong before its first piece is still an error with a status of its own. */
async function streamed(
  parts: Parts,
  head: CompletionHead,
  parameters: ChatParameters,
  keepAlive: number,
  usageOf: (answer: string) => Usage,
): Promise<Response> {
  const first = parts.next();
  const early = await settledWithin(first, keepAlive > 0 ? keepAlive * 1000 : 10_000);
  if (early && !early.done && early.value[1].kind === 'error') {
    await parts.return(undefined);
    throw streamFailure(early.value[1].message, early.value[1].code);
  }
  const lines = chunkLines(first, parts, head, parameters, usageOf);
  const encoder = new TextEncoder();
  const source: Source = {
    async read() {
      const { done, value } = await lines.next();
      return done ? { done, value: undefined } : { done: false, value: encoder.encode(value) };
    },
    cancel: async () => void (await lines.return(undefined)),
  };
  const kept = carryEventStream(source, {
    keepAlive,
    idle: 0,
    errorEvent: () =>
      errorEvent(
        new Failure('internal_error', 'The gateway failed in the middle of this answer. Its log tells more.'),
      ),
  });
  return new Response(kept, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

async function* chunkLines(
  first: ReturnType<Parts['next']>,
  parts: Parts,
  head: CompletionHead,
  parameters: ChatParameters,
  usageOf: (answer: string) => Usage,
): AsyncGenerator<string> {
  const lines = createChunkLines(head, parameters.includeUsage);
  let answer = '';
  try {
    yield Array.from({ length: parameters.count }, (_, index) => lines.role(index)).join('');
    for (let next = await first; !next.done; next = await parts.next()) {
      const [index, part] = next.value;
      if (part.kind === 'error') {
        yield errorEvent(streamFailure(part.message, part.code));
        return;
      }
      if (part.kind === 'finish') yield lines.finish(index, part.reason);
      else {
        if (parameters.includeUsage) answer += part.content + part.reasoning;
        let out = part.reasoning === '' ? '' : lines.reasoning(index, part.reasoning);
        if (part.content !== '') out += lines.content(index, part.content);
        if (part.annotations.length > 0) out += lines.annotations(index, part.annotations);
        yield out;
      }
    }
    yield (parameters.includeUsage ? lines.usage(usageOf(answer)) : '') + lines.done();
  } finally {
    await parts.return(undefined);
  }
}
