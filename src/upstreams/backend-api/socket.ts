import { Failure, toFailure } from '../../http/failure.ts';
import { guardedSocket } from '../../http/guarded-socket.ts';
import type { Http } from '../../ports/http.ts';
import { concatBytes } from '../../streams/read-all.ts';
import type { ByteSource } from './byte-source.ts';
import { createFrameReader, type FrameFilter } from './frames.ts';

export type SocketOptions = {
  readonly url: string;
  /** Private hosts, as `host:port`, that the address may name. */
  readonly allow: ReadonlySet<string>;
  /** Which answer of the socket is read. */
  readonly filter: FrameFilter;
  /** Sent once the socket is open. */
  readonly hello: readonly string[];
};

/** Most bytes that wait to be read. A socket cannot be paused, so beyond this it is closed. */
const maxQueuedBytes = 64 * 1024 * 1024;
/** What one queued piece holds in memory beyond its bytes. */
const pieceOverhead = 128;

/**
 * Reads one answer from a socket. It ends when the answer is over or the socket closes; it fails if
 * the socket breaks. Throws at once for an address that may not be reached.
 */
export function listen(http: Pick<Http, 'openSocket'>, options: SocketOptions): ByteSource {
  const socket = guardedSocket(http, options.url, options.allow);
  const frames = createFrameReader(options.filter);
  let queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let isOver = false;
  let failure: Error | null = null;
  let wake = (): void => {};

  const end = (reason: Error | null = null): void => {
    if (!isOver) failure = reason;
    isOver = true;
    socket.close();
    wake();
  };
  socket.addEventListener('open', () => {
    for (const text of options.hello) socket.send(text);
  });
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string' || isOver) return;
    try {
      const { bytes, replies, over } = frames.push(data);
      for (const reply of replies) socket.send(reply);
      for (const each of bytes) {
        queue.push(each);
        queuedBytes += each.length + pieceOverhead;
      }
      if (queuedBytes > maxQueuedBytes)
        throw new Failure('upstream_error', 'The upstream sends faster than its answer is read.');
      if (over) end();
      else wake();
    } catch (error) {
      queue = [];
      end(toFailure(error));
    }
  });
  socket.addEventListener('close', () => end());
  socket.addEventListener('error', () =>
    // Not a failure of the turn: like a stream that broke, it may be resumed.
    end(new Error('The socket of the upstream broke.')),
  );

  return {
    async read() {
      while (queue.length === 0 && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (queue.length > 0) {
        const value = concatBytes(queue);
        queue = [];
        queuedBytes = 0;
        return { done: false, value };
      }
      if (failure) throw failure;
      return { done: true };
    },
    cancel: () => end(),
  };
}

/**
 * The first messages on a topic's socket: our presence, and a subscription from the topic's
 * beginning.
 */
export function topicHello(topic: string): readonly string[] {
  return [
    JSON.stringify([
      { id: 1, command: { type: 'connect', presence: { type: 'presence', state: 'background' } } },
      { id: 2, command: { type: 'subscribe', topic_id: topic, offset: '0' } },
    ]),
  ];
}
