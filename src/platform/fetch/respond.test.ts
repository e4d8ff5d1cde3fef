import { expect, test } from 'vitest';
import type { Incoming } from '../../http/request.ts';
import type { Outcome } from '../../reply.ts';
import { respond } from './respond.ts';

test('the time to the first byte is recorded as it was, however long the rest took', async () => {
  const told: Outcome[] = [];
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (sent++ === 3) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, 100));
        controller.enqueue(new Uint8Array(10));
      },
    },
    { highWaterMark: 0 },
  );
  const options = { fetch, keepAlive: 10, maxRelayBytes: 0 };
  const exchange = {
    id: 'req_1',
    reply: new Response(body, { headers: { 'content-type': 'application/octet-stream' } }),
    addedHeaders: [],
    record: { route: '', caller: null, client: null, upstream: null, model: null },
    end: (outcome: Outcome) => void told.push(outcome),
  };
  const answer = await respond(exchange, { hasBody: false } as Incoming, { defer: () => {} }, options);
  expect((await answer.arrayBuffer()).byteLength).toBe(30);
  await expect.poll(() => told).toMatchObject([{ bytes: 30, endedBy: 'done' }]);
  expect(performance.now() - (told[0]?.firstByteAt ?? 0)).toBeGreaterThan(150);
});
