import pLimit from 'p-limit';
import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import type { JsonBody } from '../http/json-body.ts';
import { estimateTokens } from '../openai/tokens.ts';
import type { Ports } from '../ports/ports.ts';
import { json } from '../reply.ts';
import type { AssetRef } from '../segments/segment.ts';
import { toBase64 } from '../streams/bytes.ts';
import { readAll } from '../streams/read-all.ts';
import { streamFailure } from '../upstreams/backend-api/refusals.ts';
import type { Served } from '../upstreams/model-router.ts';
import type { SegmentStream } from '../upstreams/upstream.ts';
import { requestDeadline } from './deadline.ts';
import { type ImageRequest, imageRequest, promptFor } from './image-request.ts';
import { jsonWithHeartbeat } from './json-heartbeat.ts';

export type ImageOptions = {
  readonly promptPrefix: string;
  readonly keepAlive: number;
  readonly nonStreamKeepAlive: boolean;
  readonly totalTimeout: number;
};

type Conversation = Extract<Served, { kind: 'backend-api' }>;
type Picture = { readonly asset: AssetRef; readonly prompt: string | null };
type Images = {
  readonly created: number;
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly reply: string;
  readonly usage: Readonly<Record<string, unknown>>;
};
/** The pictures and the text of one turn. */
type Drawn = {
  readonly pictures: readonly Picture[];
  readonly words: string;
  readonly stream: SegmentStream;
};

/** Turns of one request at a time. An upstream expects the rate of one person. */
const turnsAtOnce = 2;
/** Largest picture that is handed out as base64, in bytes. */
const maxInline = 64 * 1024 * 1024;

/**
 * `POST /v1/images/generations`, `/edits` and `/variations` at an upstream that draws in
 * conversations: one turn for each picture, fewer if a turn draws several.
 */
export function createImages(options: ImageOptions, ports: Ports) {
  const draw = async (
    call: Call,
    served: Conversation,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<Drawn> => {
    const text = promptFor(request, options.promptPrefix);
    const content =
      request.pictures.length === 0
        ? text
        : [...request.pictures.map((file) => ({ type: 'file', file })), { type: 'text', text }];
    const stream = await served.upstream.chat(
      call,
      { messages: [{ role: 'user', content }], system_hints: ['picture_v2'] },
      served.model,
      signal,
    );
    const pictures: Picture[] = [];
    let words = '';
    for await (const batch of stream.batches) {
      for (const segment of batch) {
        if (segment.kind === 'image') pictures.push(segment);
        else if (segment.kind === 'text') words += segment.text;
        else if (segment.kind === 'error' && pictures.length === 0)
          throw streamFailure(segment.message, segment.code);
      }
    }
    return { pictures, words: words.trim(), stream };
  };

  const generate = async (
    call: Call,
    served: Conversation,
    request: ImageRequest,
    signal: AbortSignal,
  ): Promise<Images> => {
    const limit = pLimit(turnsAtOnce);
    const drawn: Drawn[] = [];
    let count = 0;
    const turns = await Promise.allSettled(
      Array.from({ length: request.count }, () =>
        limit(async () => {
          if (count >= request.count) return;
          const turn = await draw(call, served, request, signal);
          count += turn.pictures.length;
          drawn.push(turn);
        }),
      ),
    );
    const wanted = drawn
      .flatMap(({ pictures, stream }) => pictures.map((picture) => ({ ...picture, stream })))
      .slice(0, request.count);
    if (wanted.length === 0) throw nothingDrawn(turns, drawn);
    const data = await Promise.all(
      wanted.map(async ({ asset, prompt, stream }) => ({
        ...(request.format === 'b64_json' || request.stream
          ? { b64_json: await inline(stream, asset) }
          : { url: await link(stream, asset) }),
        revised_prompt: prompt || request.prompt,
      })),
    );
    const words = drawn.map((turn) => turn.words).filter((each) => each !== '');
    return {
      created: Math.floor(ports.tasks.now() / 1000),
      ...request.echo,
      data,
      reply: words.join('\n\n'),
      usage: usageOf(request),
    };
  };

  return async (
    call: Call,
    fields: JsonBody['value'],
    pictures: ImageRequest['pictures'],
    served: Conversation,
  ): Promise<Response> => {
    const request = imageRequest(call.path, fields, pictures);
    const { signal, abort } = requestDeadline(call, served.upstream.totalSeconds ?? options.totalTimeout);
    const work = generate(call, served, request, signal);
    if (request.stream) return eventsOf(await work, call.path);
    return options.nonStreamKeepAlive
      ? jsonWithHeartbeat(work, {
          everySeconds: options.keepAlive,
          record: call.record,
          onLeave: abort,
        })
      : json(await work);
  };
}

/** The text of a request, estimated: the upstream counts nothing. */
function usageOf({ prompt, details }: ImageRequest): Record<string, unknown> {
  const text = estimateTokens([prompt, ...details].join(' '));
  return {
    input_tokens: text,
    input_tokens_details: { text_tokens: text, image_tokens: 0 },
    output_tokens: 0,
    total_tokens: text,
    estimated: true,
  };
}

/** The pictures as events: one for each complete picture, none for parts of a picture. */
function eventsOf({ created, data, usage, reply: _, ...echo }: Images, path: string): Response {
  const type = path.endsWith('/generations') ? 'image_generation.completed' : 'image_edit.completed';
  const events = data.map(({ b64_json }) => {
    const event = { type, b64_json, created_at: created, output_format: 'png', ...echo, usage };
    return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  });
  return new Response(events.join(''), { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

/** Why there is no picture: the error of a turn, else the text that the upstream sent instead. */
function nothingDrawn(turns: readonly PromiseSettledResult<void>[], drawn: readonly Drawn[]): unknown {
  const failed = turns.find((turn) => turn.status === 'rejected');
  if (failed) return failed.reason;
  const words = drawn.map((turn) => turn.words).find((each) => each !== '');
  return new Failure(
    words === undefined ? 'upstream_error' : 'content_policy_violation',
    words ?? 'The upstream drew no picture and did not say why. Ask again.',
    { param: 'prompt' },
  );
}

async function link(stream: SegmentStream, asset: AssetRef): Promise<string> {
  const published = await stream.publish(asset, 'image');
  if ('url' in published) return published.url;
  throw new Failure('upstream_error', `The picture was drawn, but could not be fetched: ${published.failed}`);
}

async function inline(stream: SegmentStream, asset: AssetRef): Promise<string> {
  const response = await stream.download(asset);
  const bytes = await readAll(
    response.body,
    maxInline,
    () => new Failure('upstream_error', 'The picture is too large to be sent as base64. Ask for a url.'),
  );
  return toBase64(bytes);
}
