import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

const interim = Buffer.from('HTTP/1.1 100');
/** Longest interim response that is skipped, in bytes. */
const maxInterim = 16 * 1024;

/**
 * Skips `100 Continue` at the start of responses. Some servers send it although the request has no
 * `Expect`, which HTTP allows (RFC 9110 §15.2); undici closes the connection then. The bytes are
 * removed before undici reads them: only the first ones after a request was written are looked at,
 * so a body is never changed.
 */
export function skipContinue(connector: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connector(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error) return callback(error, null);
      callback(null, filter(socket as Socket) as never);
    });
}

function filter(socket: Socket): Socket {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  /** Whether the next bytes are the start of a response. */
  let isStart = false;
  let held: Buffer | null = null;
  socket.write = ((...args: unknown[]) => {
    isStart = true;
    return write(...args);
  }) as Socket['write'];
  socket.read = (size?: number): Buffer | null => {
    // Until the socket has nothing left, as its reader would: else no further event would come.
    for (;;) {
      const chunk = read(size);
      if (!isStart || chunk === null) return chunk;
      const rest = withoutInterim(held === null ? chunk : Buffer.concat([held, chunk]));
      held = rest.isDone ? null : rest.bytes;
      if (!rest.isDone) continue;
      isStart = false;
      return rest.bytes;
    }
  };
  return socket;
}

/** The bytes after all leading interim responses; not done if the next bytes may be part of one. */
function withoutInterim(received: Buffer): { readonly bytes: Buffer; readonly isDone: boolean } {
  let bytes = received;
  for (;;) {
    const length = Math.min(bytes.length, interim.length);
    if (bytes.compare(interim, 0, length, 0, length) !== 0) return { bytes, isDone: true };
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return { bytes, isDone: bytes.length > maxInterim };
    bytes = bytes.subarray(end + 4);
  }
}
