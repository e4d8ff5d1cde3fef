import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { cumulativeEvents } from './cumulative.ts';

/**
 * An upstream that costs as little as it can: it finds the end of a request, looks at one letter of its path, and writes bytes that were made before.
 * `…/backend-api/conversation` a cumulative stream of as many tokens as the message says, everything else of that API `{}`;
 * `/v1/j…` a small JSON answer; `/v1/b…` 100 chunks at once; `/v1/p…` 100 chunks, 2 ms apart; `/v1/o…` a chunk each half second until the caller leaves.
 */
const json = `{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"${'word '.repeat(70)}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":70,"total_tokens":90}}`;
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${json.length}\r\n\r\n${json}`,
);
const head = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n',
);
const event =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}\n\n';
const chunk = Buffer.from(`${event.length.toString(16)}\r\n${event}\r\n`);
const end = Buffer.from('0\r\n\r\n');

/** Streams that get a chunk at each tick, and how many they still get. */
const paced = new Map<Socket, number>();
const open = new Set<Socket>();
setInterval(() => {
  for (const [socket, left] of paced) {
    if (left > 1) {
      socket.write(chunk);
      paced.set(socket, left - 1);
      continue;
    }
    socket.cork();
    socket.write(chunk);
    socket.write(end);
    socket.uncork();
    paced.delete(socket);
  }
}, 2);
// Spread over the half second, so that they do not all come at once.
let slice = 0;
setInterval(() => {
  slice = (slice + 1) % 100;
  let i = 0;
  for (const socket of open) if (i++ % 100 === slice) socket.write(chunk);
}, 5);

const empty = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
const conversations = new Map<number, Buffer>();

/** A whole answer of the conversation API, each snapshot a chunk of its own; made once. */
function conversation(tokens: number): Buffer {
  let made = conversations.get(tokens);
  if (!made) {
    const framed = cumulativeEvents(tokens).map(
      (each) => `${Buffer.byteLength(each).toString(16)}\r\n${each}\r\n`,
    );
    made = Buffer.concat([head, Buffer.from(framed.join('')), end]);
    conversations.set(tokens, made);
  }
  return made;
}

function answerBackend(socket: Socket, request: string): void {
  const tokens = /tokens=(\d+)/.exec(request)?.[1];
  const isTurn = request.slice(0, request.indexOf('\r\n')).includes('/backend-api/conversation ');
  socket.write(isTurn ? conversation(Number(tokens ?? 1)) : empty);
}

function answer(socket: Socket, letter: string): void {
  switch (letter) {
    case 'j':
      socket.write(whole);
      break;
    case 'b':
      socket.write(head);
      // Each by itself, as a model gives them.
      for (let i = 0; i < 100; i++) socket.write(chunk);
      socket.write(end);
      break;
    case 'p':
      socket.write(head);
      paced.set(socket, 100);
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
