import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import type { Outcome } from '../../reply.ts';
import { sendResponse } from './send-response.ts';

test('an answer to a caller who left before it began is let go, and told of as left', async () => {
  let answering: (response: ServerResponse) => void = () => {};
  const asked = new Promise<ServerResponse>((resolve) => {
    answering = resolve;
  });
  const server = createServer((_, response) => answering(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const response = await asked;
  socket.destroy();
  await new Promise((resolve) => response.once('close', resolve));

  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => controller.enqueue(new TextEncoder().encode('data: x\n\n')),
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const told: Outcome[] = [];
  await sendResponse(
    new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    {
      id: 'req_1',
      reply: new Response(),
      addedHeaders: [],
      record: { route: '', caller: null, client: null, upstream: null, model: null },
      end: (each) => told.push(each),
    },
    response.req,
    response,
    { isCut: false },
  );
  expect(cancelled).toBe(true);
  expect(told).toMatchObject([{ endedBy: 'client' }]);
  server.close();
});
