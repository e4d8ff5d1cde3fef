import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawHeaders } from '../../../http/headers.ts';

/** After one side has ended, the other side has so long to end as well, in milliseconds. */
const halfClosedMs = 5000;

export type TunnelEvents = {
  /** Bytes passed, in either direction. */
  onActive(): void;
  /** Both sides are closed; `byClient` tells whose close came first. */
  onClose(byClient: boolean): void;
};

/** The head that tells a client that the protocol was switched. */
export function switchingHead(headers: RawHeaders): string {
  let lines = `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`;
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${lines}\r\n`;
}

/**
 * Joins two sockets until either side ends. `head` holds what the client sent after its handshake.
 */
export function joinSockets(upstream: Duplex, client: Duplex, head: Buffer, events: TunnelEvents): void {
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const close = (byClient: boolean): void => {
    if (isClosed) return;
    isClosed = true;
    clearTimeout(timer);
    upstream.destroy();
    client.destroy();
    events.onClose(byClient);
  };
  if (head.length > 0) upstream.write(head);
  for (const socket of [upstream, client]) {
    socket.on('data', events.onActive);
    socket.on('error', () => close(socket === client));
    socket.on('close', () => close(socket === client));
    socket.on('end', () => {
      timer ??= setTimeout(() => close(socket === client), halfClosedMs);
    });
  }
  upstream.pipe(client);
  client.pipe(upstream);
}
