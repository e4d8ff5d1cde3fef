import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A step of a response: bytes, milliseconds, a wait until the client closes, or a reset. */
export type Step = string | Buffer | number | 'reset' | 'never';

/** The steps of the response to a request. `asked` counts the requests for this path, from 1. */
export type Script = (asked: number, request: string) => readonly Step[] | Promise<readonly Step[]>;

export type RawUpstream = {
  readonly url: string;
  /** Number of requests by path. */
  readonly asked: Map<string, number>;
  readonly requests: string[];
  open(): number;
  /** Requests that got their whole response. */
  ended(): number;
  /** Requests whose connection closed before the response was complete. */
  aborted(): number;
  /** Bytes of responses that were written to sockets. */
  sent(): number;
  stop(): void;
};

/** An upstream made of bytes: it answers each path with exactly the bytes of its script. */
export async function startRawUpstream(scripts: Readonly<Record<string, Script>>): Promise<RawUpstream> {
  const asked = new Map<string, number>();
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let aborted = 0;
  let sent = 0;
  let ended = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    let buffer = Buffer.alloc(0);
    let busy = false;
    socket.on('close', () => {
      if (busy) aborted++;
    });
    const serve = async (): Promise<void> => {
      if (busy) return;
      const end = buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = buffer.subarray(0, end).toString('latin1');
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const chunked = /^transfer-encoding: chunked/im.test(head);
      const bodyEnd = chunked ? buffer.indexOf('0\r\n\r\n', end + 4) + 5 : end + 4 + length;
      if (buffer.length < bodyEnd || (chunked && bodyEnd < end + 4)) return;
      const request = buffer.subarray(0, bodyEnd).toString('latin1');
      buffer = buffer.subarray(bodyEnd);
      busy = true;
      requests.push(request);
      const path = /^\S+ ([^\s?]+)/.exec(head)?.[1] ?? '';
      const count = (asked.get(path) ?? 0) + 1;
      asked.set(path, count);
      for (const step of await (scripts[path] ?? (() => [notFound]))(count, request)) {
        if (socket.destroyed) break;
        if (step === 'reset') socket.resetAndDestroy();
        else if (step === 'never') await new Promise((resolve) => socket.once('close', resolve));
        else if (typeof step === 'number') await sleep(step);
        else {
          sent += Buffer.byteLength(step);
          if (socket.write(step)) continue;
          await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve));
        }
      }
      busy = false;
      if (!socket.destroyed) ended++;
      if (!socket.destroyed) void serve();
    };
    socket.on('data', (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      void serve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    requests,
    open: () => sockets.size,
    ended: () => ended,
    aborted: () => aborted,
    sent: () => sent,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An answer with a length. */
export function answer(status: number, body: string | Buffer, headers: Record<string, string> = {}): Buffer {
  const bytes = Buffer.from(body);
  const lines = Object.entries({
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n`), bytes]);
}

const notFound = answer(404, '{"error":{"message":"nothing here","type":"x","param":null,"code":null}}');

/** The head of an event stream in chunks. */
export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
export const chunk = (data: string | Buffer): Buffer => {
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
};
export const lastChunk = '0\r\n\r\n';
/** A complete event stream, one chunk for each piece. */
export const stream = (...pieces: readonly (string | Buffer)[]): Step[] => [
  streamHead,
  ...pieces.map(chunk),
  lastChunk,
];
export const event = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
export const done = 'data: [DONE]\n\n';
