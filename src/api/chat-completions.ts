import type { Call } from '../call.ts';
import type { JsonBody } from '../http/json-body.ts';
import { type Choice, type CompletionHead, completion, type Usage } from '../openai/chunks.ts';
import { jsonFormatOf } from '../openai/json-format.ts';
import { estimateTokens } from '../openai/tokens.ts';
import type { Ports } from '../ports/ports.ts';
import type { HeartbeatSetting } from '../relay/heartbeat.ts';
import { json } from '../reply.ts';
import { createAnswerWriter } from '../segments/answer.ts';
import type { Style } from '../segments/style.ts';
import { streamFailure } from '../upstreams/backend-api/refusals.ts';
import type { Served } from '../upstreams/model-router.ts';
import { chatParameters, promptText } from './chat-request.ts';
import { type Choices, createChoice, mergeChoices, paceChoice } from './choices.ts';
import { requestDeadline } from './deadline.ts';
import { jsonAnswerWriter, jsonStyle } from './json-answer.ts';
import { jsonWithHeartbeat } from './json-heartbeat.ts';
import { streamCompletion } from './stream-completion.ts';

export type ConversionOptions = {
  readonly style: Style;
  /** Seconds of silence after which a stream gets a heartbeat. */
  readonly keepAlive: number;
  readonly keepAliveStyle: HeartbeatSetting;
  /** Seconds for a whole answer; 0 for no limit. */
  readonly totalTimeout: number;
  /** Whether answers that are not streamed begin with spaces while they are awaited. */
  readonly nonStreamKeepAlive: boolean;
  /** Milliseconds between two pieces; 0 for no pause. */
  readonly pace: number;
};

type Conversation = Extract<Served, { kind: 'backend-api' }>;

/** `POST /v1/chat/completions` at an upstream whose answers are converted here. */
export function createChatCompletions(options: ConversionOptions, ports: Ports) {
  return async (call: Call, body: JsonBody, served: Conversation): Promise<Response> => {
    const parameters = chatParameters(body.value);
    const format = jsonFormatOf(body.value);
    const head: CompletionHead = {
      id: `chatcmpl-${call.id.slice(4)}`,
      created: Math.floor(ports.tasks.now() / 1000),
      model: String(body.value.model),
    };
    const needsCount = !parameters.stream || parameters.includeUsage || parameters.maxTokens !== null;
    const counter = needsCount ? await ports.tokenizer() : null;
    const countTokens = counter ?? estimateTokens;
    const { signal, abort } = requestDeadline(call, served.upstream.totalSeconds ?? options.totalTimeout);
    const turns = await Promise.all(
      Array.from({ length: parameters.count }, () =>
        served.upstream.chat(call, body.value, served.model, signal),
      ),
    ).catch((error: unknown) => {
      abort();
      throw error;
    });
    const limits = { stop: parameters.stop, maxTokens: parameters.maxTokens, countTokens };
    const isPaced = options.pace > 0 && parameters.stream;
    const choices = mergeChoices(
      turns.map(({ batches, publish }, index) => {
        const writer = createAnswerWriter(format ? jsonStyle(options.style) : options.style, publish);
        const answer = format ? jsonAnswerWriter(writer, format) : writer;
        const choice = createChoice(index, batches, answer, limits);
        return isPaced ? paceChoice(choice, options.pace) : choice;
      }),
    );
    const usageOf = (answer: string): Usage => {
      const [prompt, reply] = [countTokens(promptText(body.value.messages)), countTokens(answer)];
      const usage = { prompt_tokens: prompt, completion_tokens: reply, total_tokens: prompt + reply };
      return counter ? usage : { ...usage, ...estimated };
    };
    const { record } = call;
    const { keepAlive, keepAliveStyle } = options;
    if (parameters.stream)
      return streamCompletion(choices, {
        ...{ head, parameters, keepAlive, keepAliveStyle, usageOf, record },
      });
    const work = collect(choices, head, parameters.count, usageOf);
    return options.nonStreamKeepAlive
      ? jsonWithHeartbeat(work, { everySeconds: keepAlive, record, onLeave: () => choices.leave() })
      : json(await work);
  };
}

/** Marks a usage that was estimated, because the runtime has no tokenizer. */
const estimated = { estimated: true };

/**
 * Collects a whole completion. Throws if an answer ended in an error: a partial answer is no
 * success.
 */
async function collect(
  parts: Choices,
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
  try {
    for (let part = await parts.next(); part !== null; part = await parts.next()) {
      const choice = choices[part.index];
      if (!choice) continue;
      if (part.kind === 'error') throw streamFailure(part.message, part.code);
      if (part.kind === 'finish') choice.finish = part.reason;
      else {
        choice.content += part.content;
        choice.reasoning += part.reasoning;
        choice.annotations.push(...part.annotations);
      }
    }
  } finally {
    parts.leave();
  }
  const answer = choices.map(({ content, reasoning }) => content + reasoning).join('');
  return completion(head, choices, usageOf(answer));
}
