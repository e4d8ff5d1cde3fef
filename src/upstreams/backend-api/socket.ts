import { Failure } from '../../http/failure.ts';
import { createFrameReader, type FrameFilter } from './frames.ts';

/** Opens a socket; what a platform gives. */
export type OpenSocket = (url: string) => WebSocket;

/**
 * Listens on a socket for one answer, and gives its bytes. `hello` is sent once it is open. Ends when the answer is over, or the
 * socket closes; throws where it cannot be opened. Leaving the loop closes the socket.
 */
export async function* listen(
  open: OpenSocket,
  url: string,
  filter: FrameFilter,
  hello: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const socket = open(url);
  const reader = createFrameReader(filter);
  const waiting: Uint8Array[] = [];
  let over = false;
  let broken = false;
  let wake = () => {};
  socket.addEventListener('open', () => {
    for (const text of hello) socket.send(text);
  });
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') return;
    const framed = reader.push(data);
    for (const reply of framed.replies) socket.send(reply);
    waiting.push(...framed.bytes);
    over ||= framed.over;
    wake();
  });
  const end = () => {
    over = true;
    wake();
  };
  socket.addEventListener('close', end);
  socket.addEventListener('error', () => {
    broken = true;
    end();
  });
  signal.addEventListener('abort', end);
  try {
    for (;;) {
      const next = waiting.shift();
      if (next) yield next;
      else if (over) break;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    if (broken) throw new Failure('upstream_error', 'The socket of the upstream broke.');
  } finally {
    signal.removeEventListener('abort', end);
    socket.close();
  }
}

/** What a topic's socket is told first: that we are here, and what we want to hear from its beginning. */
export function topicHello(topic: string): readonly string[] {
  return [
    JSON.stringify([
      { id: 1, command: { type: 'connect', presence: { type: 'presence', state: 'background' } } },
      { id: 2, command: { type: 'subscribe', topic_id: topic, offset: '0' } },
    ]),
  ];
}
