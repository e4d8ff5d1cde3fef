import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { createSocketBackend, type Generation } from '../src/emulator/backend/sockets.ts';
import { serveFetch } from '../src/platform/node/serve-fetch.ts';

export type SocketUpstream = { readonly url: string; readonly acknowledged: number[]; stop(): void };

/** The WebSocket endpoints of the emulator. A request for `drop me` cuts every socket without a close frame. */
export async function startSocketUpstream(generation: Generation): Promise<SocketUpstream> {
  const acknowledged: number[] = [];
  const url = (scheme: string) => `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const backend = createSocketBackend(generation, () => `${url('ws')}/socket`);
  const server = serveFetch(async (request) => {
    if ((await request.clone().text()).includes('drop me'))
      setTimeout(() => sockets.clients.forEach((socket) => void socket.terminate()), 120);
    return backend.fetch(request);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    const { said, left } = backend.connected({ send: (text) => socket.send(text) });
    socket.on('close', left);
    socket.on('message', (data) => {
      const sequence = said(String(data));
      if (sequence !== null) acknowledged.push(sequence);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: url('http'),
    acknowledged,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}
