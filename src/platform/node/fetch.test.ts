import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFetch } from './fetch.ts';

let closed = 0;
const answers: Record<string, RequestListener> = {
  '/echo': async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.setHeader(
      'x-seen',
      JSON.stringify([request.method, request.headers['x-a'], Buffer.concat(chunks).toString()]),
    );
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end('ok');
  },
  '/chunks': (_, response) => {
    response.flushHeaders();
    for (let i = 0; i < 50; i++) response.write(`${i},`);
    response.end();
  },
  '/breaks': (_, response) => {
    response.write('said before');
    setTimeout(() => response.destroy(), 20);
  },
  '/gzip': (_, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end(gzipSync('unpacked'));
  },
  '/bad-gzip': (_, response) => {
    response.setHeader('content-encoding', 'gzip');
    response.end('this is no gzip');
  },
  '/empty': (_, response) => response.writeHead(204).end(),
  '/moved': (_, response) => response.writeHead(302, { location: '/echo' }).end(),
  '/silent': (request) => void request.on('close', () => closed++),
  '/endless': (request, response) => {
    let sent = 0;
    const write = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) sent += 64;
      response.once('drain', write);
    };
    write();
    request.on('close', () => {
      closed++;
      sentByEndless = sent;
    });
  },
};
let sentByEndless = 0;
let server: Server;
let at: (path: string) => string;
const fetch = createFetch(2);
beforeAll(async () => {
  server = createServer((request, response) => answers[request.url ?? '']?.(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  at = (path) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
});
afterAll(async () => {
  await fetch.close();
  server.close();
  server.closeAllConnections();
});

const textOf = (path: string) => fetch(at(path), {}).then((answer) => answer.text());

describe('asking an upstream', () => {
  test('method, headers and body go as they are given, repeated headers come', async () => {
    const answer = await fetch(at('/echo'), { method: 'POST', headers: { 'x-a': 'b' }, body: 'body' });
    expect(JSON.parse(answer.headers.get('x-seen') ?? '')).toEqual(['POST', 'b', 'body']);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.text()).toBe('ok');
  });

  test('what comes in one read is one chunk', async () => {
    const answer = await fetch(at('/chunks'), {});
    let count = 0;
    let text = '';
    for await (const chunk of answer.body ?? []) {
      count++;
      text += new TextDecoder().decode(chunk as Uint8Array);
    }
    expect(text).toBe(Array.from({ length: 50 }, (_, i) => `${i},`).join(''));
    expect(count).toBeLessThan(25);
  });

  test('what was said before an answer broke off is read, however late', async () => {
    const { body } = await fetch(at('/breaks'), {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('said before');
    await expect(reader.read()).rejects.toThrow('fetch failed');
  });

  test('packed answers are unpacked, broken ones fail', async () => {
    expect(await textOf('/gzip')).toBe('unpacked');
    await expect(textOf('/bad-gzip')).rejects.toThrow();
  });

  test('no body, and no redirect followed', async () => {
    const empty = await fetch(at('/empty'), {});
    expect([empty.status, empty.body]).toEqual([204, null]);
    expect((await fetch(at('/moved'), {})).status).toBe(302);
  });

  test('one that cannot be reached', async () => {
    await expect(fetch('http://127.0.0.1:9/', {})).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
  });

  test('leaving ends the connection: before the answer, and in its middle', async () => {
    const left = new AbortController();
    const asked = fetch(at('/silent'), { signal: left.signal });
    setTimeout(() => left.abort(new Error('left')), 30);
    await expect(asked).rejects.toThrow('left');
    await expect.poll(() => closed).toBe(1);
    await expect(fetch(at('/echo'), { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow(
      'gone',
    );
    const { body } = await fetch(at('/endless'), {});
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await reader.cancel();
    await expect.poll(() => closed).toBe(2);
    // Nothing was read on, so the upstream was made to wait: the sockets' own buffers are all that
    // it filled.
    expect(sentByEndless).toBeLessThan(20_000);
  });
});
