import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProcess } from './process.ts';

let upstream: Server;
let waiting: (() => void)[] = [];
beforeAll(async () => {
  upstream = createServer((_, response) => void waiting.push(() => response.end('{}')));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
});
afterAll(() => upstream.close().closeAllConnections());

test('MAX_CONCURRENT holds for all processes together', { timeout: 60_000 }, async () => {
  const { port } = upstream.address() as AddressInfo;
  const gateway = await startProcess({
    OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
    WORKERS: '2',
    MAX_CONCURRENT: '10',
    LOG_LEVEL: 'error',
  });
  let refused = 0;
  const requests = Array.from({ length: 60 }, async () => {
    const { status } = await fetch(`${gateway.url}/v1/echo`, { headers: { authorization: 'Bearer k' } });
    if (status === 503) refused++;
    return status;
  });
  await expect.poll(() => refused + waiting.length, { timeout: 20_000 }).toBe(60);
  expect(waiting.length).toBeLessThanOrEqual(10);
  expect(waiting.length).toBeGreaterThan(0);
  for (const end of waiting) end();
  waiting = [];
  expect(new Set(await Promise.all(requests))).toEqual(new Set([200, 503]));
  gateway.child.kill();
  await gateway.exited;
});
