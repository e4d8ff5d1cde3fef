import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Joins two sockets once the upstream agreed to switch: its handshake answer goes to the caller, then bytes both ways, until either side
 * ends. `head` is what the caller sent after its handshake.
 */
export function openTunnel(headers: readonly string[], upstream: Duplex, caller: Duplex, head: Buffer): void {
  let lines = `HTTP/1.1 101 ${STATUS_CODES[101]}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n`;
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  caller.write(`${lines}\r\n`, 'latin1');
  if (head.length > 0) upstream.write(head);
  const close = (): void => {
    upstream.destroy();
    caller.destroy();
  };
  for (const socket of [upstream, caller]) {
    socket.on('error', close);
    socket.on('close', close);
  }
  upstream.pipe(caller);
  caller.pipe(upstream);
}
