import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { cumulativeEvents } from './cumulative.ts';
import { responseHeaders } from './openai-traffic.ts';

/**
 * An upstream that costs as little CPU as possible. It finds the end of a request, looks at one
 * letter of its path, and writes bytes that were made before.
 *
 * - `/v1/j…` a small JSON response
 * - `/v1/b…` 500 chunks at once
 * - `/v1/p…` 100 chunks, 2 ms apart
 * - `/v1/o…` a chunk every half second until the client leaves
 * - `…/backend-api/conversation` a cumulative stream. The message says how: `tokens=n` for
 *   all events at once, `paced=n` for one event every 2 ms. Other paths of that API get `{}`.
 */
const json = `{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"${'word '.repeat(70)}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":70,"total_tokens":90}}`;
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\n${responseHeaders('application/json')}content-length: ${json.length}\r\n\r\n${json}`,
);
const head = Buffer.from(
  `HTTP/1.1 200 OK\r\n${responseHeaders('text/event-stream; charset=utf-8')}transfer-encoding: chunked\r\n\r\n`,
);
const event =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}\n\n';
const chunk = Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`);
const end = Buffer.from('0\r\n\r\n');

/** Streams that get a frame every 2 ms: the frames, and which one is next. */
const paced = new Map<Socket, { readonly frames: readonly Buffer[]; next: number }>();
const open = new Set<Socket>();
setInterval(() => {
  for (const [socket, stream] of paced) {
    socket.write(stream.frames[stream.next++] ?? end);
    if (stream.next === stream.frames.length) paced.delete(socket);
  }
}, 2);
// Spread over the half second, so that the streams do not all get a chunk at once.
let slice = 0;
setInterval(() => {
  slice = (slice + 1) % 100;
  let i = 0;
  for (const socket of open) if (i++ % 100 === slice) socket.write(chunk);
}, 5);

const empty = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
const framed = (text: string) => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
const lastFrame = Buffer.concat([chunk, end]);
const pacedChunks = [...Array.from({ length: 99 }, () => chunk), lastFrame];

/** The frames of a conversation, each snapshot a chunk, by number of tokens. */
const conversations = new Map<number, readonly Buffer[]>();
const wholeConversations = new Map<number, Buffer>();

function conversation(tokens: number): readonly Buffer[] {
  let frames = conversations.get(tokens);
  if (!frames) {
    frames = [...cumulativeEvents(tokens).map(framed), end];
    conversations.set(tokens, frames);
    wholeConversations.set(tokens, Buffer.concat([head, ...frames]));
  }
  return frames;
}

function answerBackend(socket: Socket, request: string): void {
  const isTurn = request.slice(0, request.indexOf('\r\n')).includes('/backend-api/conversation ');
  if (!isTurn) return void socket.write(empty);
  const [, how = 'tokens', count = '1'] = /(tokens|paced)=(\d+)/.exec(request) ?? [];
  const frames = conversation(Number(count));
  if (how === 'tokens') return void socket.write(wholeConversations.get(Number(count)) ?? empty);
  socket.write(head);
  paced.set(socket, { frames, next: 0 });
}

function answer(socket: Socket, letter: string): void {
  switch (letter) {
    case 'j':
      socket.write(whole);
      break;
    case 'b':
      socket.write(head);
      // One write for each, as from a model.
      for (let i = 0; i < 500; i++) socket.write(chunk);
      socket.write(end);
      break;
    case 'p':
      socket.write(head);
      paced.set(socket, { frames: pacedChunks, next: 0 });
      break;
    default:
      socket.cork();
      socket.write(head);
      socket.write(chunk);
      socket.uncork();
      open.add(socket);
  }
}

const server = createServer({ noDelay: true }, (socket) => {
  let held = '';
  socket.on('data', (data) => {
    held = held === '' ? data.toString('latin1') : held + data.toString('latin1');
    for (;;) {
      const at = held.indexOf('\r\n\r\n');
      if (at < 0) return;
      const length = /content-length: (\d+)/i.exec(held.slice(0, at))?.[1];
      const chunked = length === undefined && /transfer-encoding: chunked/i.test(held.slice(0, at));
      const last = chunked ? held.indexOf('0\r\n\r\n', at + 4) + 5 : at + 4 + Number(length ?? 0);
      if (held.length < last || (chunked && last < at)) return;
      const request = held.slice(0, last);
      held = held.slice(last);
      if (request.slice(0, request.indexOf('\r\n')).includes('/backend-api/')) answerBackend(socket, request);
      else answer(socket, request[request.indexOf('/v1/') + 4] ?? 'j');
    }
  });
  const gone = () => {
    paced.delete(socket);
    open.delete(socket);
  };
  socket.on('close', gone).on('error', gone);
});
server.listen(0, '127.0.0.1', 4096, () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
