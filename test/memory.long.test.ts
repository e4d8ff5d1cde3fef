import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { startProcess } from './process.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterAll(() => upstream.stop());

describe('1 GB', { timeout: 120_000 }, () => {
  const bytes = 1024 ** 3;
  /** Bytes in flight, and what the collector has not freed yet: a tenth of the body. */
  const bound = 100 * 1024 ** 2;

  test('to a slow reader does not collect in the gateway', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, LOG_LEVEL: 'error' });
    await fetch(`${gateway.url}/v1/big?bytes=${2 ** 28}`, {
      headers: { authorization: 'Bearer sk-own' },
    }).then((answer) => answer.arrayBuffer());
    const before = gateway.rss();
    let most = before;
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      get(
        `${gateway.url}/v1/big?bytes=${bytes}`,
        { headers: { authorization: 'Bearer sk-own' } },
        async (answer) => {
          try {
            for await (const chunk of answer) {
              const length = (chunk as Buffer).length;
              // The reader pauses every 64 MB.
              if (Math.floor(received / 2 ** 26) !== Math.floor((received + length) / 2 ** 26)) {
                await sleep(60);
                most = Math.max(most, gateway.rss());
              }
              received += length;
            }
            resolve();
          } catch (error) {
            reject(error as Error);
          }
        },
      );
    });
    expect(received).toBe(bytes);
    expect(most - before).toBeLessThan(bound);
    gateway.child.kill('SIGKILL');
  });

  test('to an upstream does not collect in the gateway', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, LOG_LEVEL: 'error' });
    const headers = { authorization: 'Bearer sk-own' };
    await fetch(`${gateway.url}/v1/sink`, { method: 'POST', headers, body: Buffer.alloc(10_000_000) });
    const before = gateway.rss();
    let most = before;
    let left = bytes;
    const chunk = new Uint8Array(1024 * 1024);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left === 0) return controller.close();
        left -= chunk.length;
        if (left % 2 ** 26 === 0) most = Math.max(most, gateway.rss());
        controller.enqueue(chunk);
      },
    });
    const answer = await fetch(`${gateway.url}/v1/sink`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toMatchObject({ bytes });
    expect(most - before).toBeLessThan(bound);
    gateway.child.kill('SIGKILL');
  });
});
