/**
 * What the conversion costs when each event of the upstream arrives in its own turn of the event
 * loop, as real upstreams send them: from the upstream's `Response` to the bytes for the socket.
 * Beside it the least that any gateway must do: find the event, parse it with `JSON.parse`, write
 * one line.
 */
import { createChatCompletions } from '../src/api/chat-completions.ts';
import type { Call } from '../src/call.ts';
import { createChunkLines } from '../src/openai/chunks.ts';
import { createSseReader } from '../src/openai/sse.ts';
import type { Ports } from '../src/ports/ports.ts';
import { createUpstreamHealth } from '../src/relay/health.ts';
import { markdownStyle } from '../src/segments/style.ts';
import { createBackendUpstream } from '../src/upstreams/backend-api/upstream.ts';
import { cumulativeEvents } from './cumulative.ts';

const encoder = new TextEncoder();
const eventStream = { headers: { 'content-type': 'text/event-stream' } };

/** A response whose events come one in each turn of the event loop. */
function upstreamResponse(events: readonly Uint8Array[]): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await new Promise((resolve) => setImmediate(resolve));
        const event = events[at++];
        if (event) controller.enqueue(event);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, eventStream);
}

/** The least that a gateway must do with the same response. */
function parseAndWrite(response: Response): Response {
  const source = (response.body as ReadableStream<Uint8Array>).getReader();
  const reader = createSseReader();
  const lines = createChunkLines({ id: 'chatcmpl-1', created: 1, model: 'gpt-4' }, false);
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.read();
        if (done) return controller.close();
        for (const { data } of reader.push(value)) {
          const text = data === '[DONE]' ? '' : JSON.parse(data).message.content.parts[0].slice(-5);
          controller.enqueue(encoder.encode(lines.content(0, text)));
        }
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, eventStream);
}

/** The conversion, as a route runs it. */
function converter(events: readonly Uint8Array[]): () => Promise<Response> {
  const ports = {
    http: { fetch: async () => upstreamResponse(events) },
    tasks: { now: () => Date.now(), defer: () => {} },
    cache: { get: async () => undefined, set: async () => {} },
    log: () => {},
    tokenizer: async () => null,
  } as unknown as Ports;
  const timeouts = { connect: 10, firstByte: 120, idle: 120, total: 0 };
  const upstream = createBackendUpstream(
    {
      name: 'web',
      bases: ['http://upstream.example'],
      keys: ['k'],
      timeouts,
      totalSeconds: null,
      whenCallerLeaves: 'cancel',
      slots: null,
      continueRounds: 0,
      historyDisabled: false,
      sendHints: true,
      hideConversations: false,
      alwaysAllowActions: false,
      upstreamLinks: true,
      maxStoredBytes: 1,
      maxFileBytes: 1,
      fileFetchAllow: [],
      modelsCacheSeconds: 60,
      backgroundTimeout: 120,
    },
    ports,
    null,
    createUpstreamHealth(['web'], () => 0),
  );
  const chat = createChatCompletions(
    {
      style: markdownStyle,
      keepAlive: 10,
      keepAliveStyle: 'auto',
      totalTimeout: 0,
      nonStreamKeepAlive: false,
      pace: 0,
    },
    ports,
  );
  const value = { model: 'gpt-4', stream: true, messages: [{ role: 'user', content: 'x' }] };
  return () => {
    const call = {
      id: 'req_1',
      credentials: { accessKey: null, ownKey: null, openaiKey: null },
      incoming: { head: new Map(), signal: new AbortController().signal },
      record: { route: 'chat', upstream: null, model: null },
      whenOver: () => {},
    } as unknown as Call;
    const body = { value, bytes: encoder.encode(JSON.stringify(value)) };
    return chat(call, body as never, {
      kind: 'backend-api',
      upstream,
      model: { slug: 'gpt-4', gizmo: null },
    });
  };
}

/** Reads a response as the server's write loop does; gives its bytes. */
async function drain(response: Response): Promise<number> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytes;
    bytes += value.length;
  }
}

async function cpuMicros(streams: number, open: () => Promise<Response>): Promise<number> {
  const before = process.cpuUsage();
  const all = await Promise.all(Array.from({ length: streams }, async () => drain(await open())));
  const { user, system } = process.cpuUsage(before);
  if (all.some((bytes) => bytes === 0)) throw new Error('a stream was empty');
  return user + system;
}

/**
 * Microseconds of CPU for each event: what a gateway must do at least, and what the conversion
 * does.
 */
export async function oneByOne(tokens: number, streams: number, rounds: number) {
  const events = cumulativeEvents(tokens).map((event) => encoder.encode(event));
  const convert = converter(events);
  const plain = async () => parseAndWrite(upstreamResponse(events));
  const [ours, least]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await cpuMicros(streams, plain), await cpuMicros(streams, convert)];
    // The first round is for the compiler.
    if (round === 0) continue;
    least.push(a);
    ours.push(b);
  }
  const perEvent = (values: number[]) =>
    (values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0) / (streams * events.length);
  return { least: perEvent(least), ours: perEvent(ours) };
}
