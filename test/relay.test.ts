import { createHash } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { type Running, runtimes } from './gateways.ts';
import { readUntilBroken } from './read-until-broken.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterAll(() => upstream.stop());
beforeEach(() => upstream.clear());

const own = { authorization: 'Bearer sk-own-key' };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each(runtimes)('the relay on $name', ({ name, start }) => {
  let gateway: Running;
  const at = (path: string) => gateway.url + path;
  beforeAll(async () => {
    gateway = await start({
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      KEEPALIVE_SECONDS: '1',
      IDLE_TIMEOUT: '5',
      FIRST_BYTE_TIMEOUT: '2',
    });
  });
  afterAll(() => gateway.stop());

  describe('carries a request as it is', () => {
    test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s, with its path and query', async (method) => {
      const answer = await fetch(at('/v1/some/new%2Fpath?a=1&b=%20c&b=2'), { method, headers: own });
      expect(await answer.json()).toMatchObject({ method, url: '/v1/some/new%2Fpath?a=1&b=%20c&b=2' });
    });

    test('HEAD gives the head alone', async () => {
      const answer = await fetch(at('/v1/headers'), { method: 'HEAD', headers: own });
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe('');
    });

    test('the caller’s key goes along, cookies and the caller’s network do not', async () => {
      await fetch(at('/v1/headers'), {
        headers: {
          ...own,
          cookie: 'a=b',
          'x-forwarded-for': '1.2.3.4',
          'cf-ray': 'x',
          'x-stainless-lang': 'js',
        },
      });
      const { headers } = upstream.last();
      expect(headers.authorization).toBe('Bearer sk-own-key');
      expect(headers['x-stainless-lang']).toBe('js');
      expect(headers.host).toBe(new URL(upstream.url).host);
      expect(
        Object.keys(headers).filter((header) => /cookie|forwarded|^cf-|referer|origin/.test(header)),
      ).toEqual([]);
    });

    test('any body, cut anywhere, both ways', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 8 }), async (pieces) => {
          const whole = Buffer.concat(pieces);
          const answer = await fetch(at('/v1/echo'), {
            method: 'POST',
            headers: { ...own, 'content-type': 'application/octet-stream' },
            body: pieces.length > 0 ? streamOf(pieces) : null,
            duplex: 'half',
          } as RequestInit);
          expect(Buffer.from(await answer.arrayBuffer()).equals(whole)).toBe(true);
        }),
        { numRuns: 40 },
      );
    });

    test('a body of 20 MB with a length, and one without', async () => {
      const body = Buffer.alloc(20_000_000, 'sluice and more');
      const known = await fetch(at('/v1/sink'), { method: 'POST', headers: own, body });
      expect(await known.json()).toEqual({ sha256: sha256(body), bytes: body.length });
      expect(upstream.last().headers['content-length']).toBe(String(body.length));
      const chunked = await fetch(at('/v1/sink'), {
        method: 'POST',
        headers: own,
        body: streamOf([body.subarray(0, 5_000_000), body.subarray(5_000_000)]),
        duplex: 'half',
      } as RequestInit);
      expect(await chunked.json()).toEqual({ sha256: sha256(body), bytes: body.length });
      expect(upstream.last().headers['content-length']).toBeUndefined();
    });

    test('a large answer without a length, all at once', async () => {
      const body = Buffer.alloc(300_000, 'sluice');
      for (let i = 0; i < 5; i++) {
        const answer = await fetch(at('/v1/echo'), { method: 'POST', headers: own, body });
        expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
      }
    });

    test('a compressed answer stays as it is', async () => {
      const raw = await rawGet(at('/v1/gzip'), { ...own, 'accept-encoding': 'gzip' });
      const direct = await rawGet(`${upstream.url}/v1/gzip`, {});
      expect(raw.headers['content-encoding']).toBe('gzip');
      expect(raw.body.equals(direct.body)).toBe(true);
    });
  });

  describe('carries an answer as it is', () => {
    test.each([200, 201, 400, 401, 404, 418, 429, 500, 503, 529])(
      'status %d with its body and headers',
      async (code) => {
        const answer = await fetch(
          at(`/v1/status?code=${code}&body=exact%20bytes&h.retry-after=7&h.x-ratelimit-remaining-tokens=5`),
          { headers: own },
        );
        expect(answer.status).toBe(code);
        expect(await answer.text()).toBe('exact bytes');
        expect(answer.headers.get('retry-after')).toBe('7');
        expect(answer.headers.get('x-ratelimit-remaining-tokens')).toBe('5');
      },
    );

    test('but for cookies, CORS and connection headers of the upstream', async () => {
      const answer = await fetch(at('/v1/cookies'), { headers: own });
      expect(answer.headers.get('set-cookie')).toBeNull();
      expect(answer.headers.get('x-secret-hop')).toBeNull();
      expect(answer.headers.get('alt-svc')).toBeNull();
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-expose-headers')).toBe('*');
      expect(answer.headers.get('x-request-id')).toBe('req_upstream');
    });

    test('a redirect to another host is not followed', async () => {
      const answer = await fetch(at('/v1/redirect?to=http%3A%2F%2F127.0.0.1%3A9%2Fsecret'), {
        headers: own,
        redirect: 'manual',
      });
      expect(answer.status).toBe(302);
      expect(answer.headers.get('location')).toBe('http://127.0.0.1:9/secret');
      expect(upstream.seen.length).toBe(1);
    });

    test('one that stays on the host is followed for a GET, handed back for a POST', async () => {
      const get = await fetch(at('/v1/redirect?to=%2Fv1%2Fheaders'), { headers: own, redirect: 'manual' });
      expect(await get.json()).toMatchObject({ url: '/v1/headers' });
      const post = await fetch(at('/v1/redirect?to=%2Fv1%2Fheaders&code=307'), {
        method: 'POST',
        headers: own,
        redirect: 'manual',
      });
      expect(post.status).toBe(307);
    });

    test('endless redirects end', async () => {
      const answer = await fetch(at('/v1/loop'), { headers: own, redirect: 'manual' });
      expect(answer.status).toBe(302);
      expect(upstream.seen.length).toBeLessThan(6);
    });
  });

  describe('server-sent events', () => {
    test('come out as they come in, byte for byte, marked for every proxy on the way', async () => {
      const text = ': hi\r\nevent: x\r\ndata: {"a":"\u{1f600}中文"}\r\n\r\ndata: 1\n\ndata: [DONE]\n\n';
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 20 }),
          async (sizes) => {
            const answer = await fetch(
              at(`/v1/sse-exact?pieces=${encodeURIComponent(JSON.stringify(cut(Buffer.from(text), sizes)))}`),
              { headers: own },
            );
            expect(await answer.text()).toBe(text);
            expect(answer.headers.get('cache-control')).toBe('no-cache, no-transform');
            expect(answer.headers.get('x-accel-buffering')).toBe('no');
            expect(answer.headers.get('content-encoding')).toBeNull();
          },
        ),
        { numRuns: 8 },
      );
    });

    test('the first event arrives while the upstream still writes', async () => {
      const answer = await fetch(at('/v1/sse?n=3&gap=300'), { headers: own });
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      const started = Date.now();
      await reader.read();
      expect(Date.now() - started).toBeLessThan(200);
      await reader.cancel();
    });

    test('silence between two events is filled with comments', async () => {
      const answer = await fetch(at('/v1/sse-silent?ms=3400'), { headers: own });
      const text = await answer.text();
      expect(text).toMatch(/^data: .*one.*\n\n(: keep-alive\n)+data: \[DONE\]\n\n$/);
    });

    test('silence inside an event is left alone', async () => {
      const answer = await fetch(at('/v1/sse-silent?ms=2500&half=1'), { headers: own });
      expect(await answer.text()).toBe('data: {"a":1}\n\n');
    });

    test.each([
      ['between events', ''],
      ['inside one', '?half=1'],
    ])('a stream that breaks %s ends with an error line and no [DONE]', async (_, query) => {
      const answer = await fetch(at(`/v1/sse-die${query}`), { headers: own });
      const { text, isBroken } = await readUntilBroken(answer);
      expect(isBroken).toBe(true);
      expect(text).not.toContain('[DONE]');
      const last = text.trimEnd().split('\n\n').at(-1) as string;
      expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { code: 'upstream_error' } });
    });

    test('a stream that falls silent for good ends with an error line', async () => {
      const answer = await fetch(at('/v1/sse-silent?ms=20000'), { headers: own });
      const { text, isBroken } = await readUntilBroken(answer);
      expect(isBroken).toBe(true);
      expect(text).toMatch(/data: \{"error":\{.*"code":"upstream_timeout"\}\}\n\n$/);
    });
  });

  describe('a stream that nothing is watched on', () => {
    let bare: Running;
    beforeAll(async () => {
      bare = await start({ OPENAI_BASE_URL: upstream.url, KEEPALIVE_SECONDS: '0', IDLE_TIMEOUT: '0' });
    });
    afterAll(() => bare.stop());

    test('comes as it is, silence and all', async () => {
      const plain = await fetch(`${upstream.url}/v1/sse?n=50&gap=1`).then((answer) => answer.text());
      const answer = await fetch(`${bare.url}/v1/sse?n=50&gap=1`, { headers: own });
      expect(answer.headers.get('cache-control')).toBe('no-cache, no-transform');
      expect(await answer.text()).toBe(plain);
      const silent = await fetch(`${bare.url}/v1/sse-silent?ms=1500`, { headers: own });
      expect(await silent.text()).not.toContain('keep-alive');
    });

    test.each([
      ['between events', ''],
      ['inside one', '?half=1'],
    ])('that breaks %s ends with an error line and no [DONE]', async (_, query) => {
      const { text, isBroken } = await readUntilBroken(
        await fetch(`${bare.url}/v1/sse-die${query}`, { headers: own }),
      );
      expect(isBroken).toBe(true);
      expect(text).not.toContain('[DONE]');
      const last = text.trimEnd().split('\n\n').at(-1) as string;
      expect(JSON.parse(last.slice('data: '.length))).toMatchObject({ error: { code: 'upstream_error' } });
    });

    test('that the caller leaves is left', async () => {
      const leave = new AbortController();
      const answer = await fetch(`${bare.url}/v1/sse?n=1000&gap=20`, { headers: own, signal: leave.signal });
      await (answer.body as ReadableStream<Uint8Array>).getReader().read();
      leave.abort();
      await expect.poll(() => upstream.last().aborted, { timeout: 2000 }).toBe(true);
    });
  });

  test('an answer that takes longer than TOTAL_TIMEOUT ends with an error', async () => {
    const hasty = await start({ OPENAI_BASE_URL: upstream.url, BASE_URL: upstream.url, TOTAL_TIMEOUT: '1' });
    const started = Date.now();
    const stream = await fetch(`${hasty.url}/v1/sse?n=1000&gap=50`, { headers: own });
    const { text } = await readUntilBroken(stream);
    expect(text).toMatch(/data: \{"error":\{.*TOTAL_TIMEOUT.*"code":"upstream_timeout"\}\}\n\n$/);
    const waited = await fetch(`${hasty.url}/v1/hang`, { headers: own });
    expect([waited.status, (await waited.json()).error.message]).toEqual([
      504,
      expect.stringContaining('TOTAL_TIMEOUT'),
    ]);
    expect(Date.now() - started).toBeLessThan(6000);
    await hasty.stop();
  });

  describe('when either side leaves', () => {
    test('the caller’s leaving reaches the upstream at once', async () => {
      const leave = new AbortController();
      const answer = await fetch(at('/v1/sse?n=1000&gap=20'), { headers: own, signal: leave.signal });
      await (answer.body as ReadableStream<Uint8Array>).getReader().read();
      const left = Date.now();
      leave.abort();
      const seen = upstream.last();
      while (!seen.aborted && Date.now() - left < 2000) await sleep(5);
      expect((seen.abortedAt ?? Number.POSITIVE_INFINITY) - left).toBeLessThan(200);
    });

    // workerd's own server notices that a caller left only when it writes; FIRST_BYTE_TIMEOUT ends such a wait.
    test.skipIf(name === 'workerd')('also before the first byte', async () => {
      const leave = new AbortController();
      const answer = fetch(at('/v1/hang'), { headers: own, signal: leave.signal }).catch(() => null);
      while (upstream.seen.length === 0) await sleep(5);
      leave.abort();
      await answer;
      const seen = upstream.last();
      for (let i = 0; i < 200 && !seen.aborted; i++) await sleep(5);
      expect(seen.aborted).toBe(true);
    });

    test('an upstream that breaks off a short body is a 502', async () => {
      const answer = await fetch(at('/v1/die-midway'), { headers: own });
      // A short response is held until it is whole, so that it can still become an error.
      expect(answer.status).toBe(502);
    });

    test.each([
      ['/v1/reset', 502, 'upstream_error'],
      ['/v1/hang', 504, 'upstream_timeout'],
    ])('%s is a %d', async (path, status, code) => {
      const answer = await fetch(at(path), { headers: own });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(await answer.json()).toMatchObject({ error: { code } });
    });

    test('an upstream that answers without reading the body is heard', async () => {
      const answer = await fetch(at('/v1/never-reads'), {
        method: 'POST',
        headers: own,
        body: Buffer.alloc(300_000),
      });
      expect(answer.status).toBe(413);
      expect(await answer.text()).toContain('too big for me');
    });
  });

  describe('WebSockets', () => {
    test('go both ways, text and bytes, with the key taken from the subprotocol', async () => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=x`, [
        'realtime',
        'openai-insecure-api-key.sk-own-key',
      ]);
      const messages: unknown[] = [];
      socket.on('message', (data, binary) => messages.push(binary ? data : String(data)));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      expect(socket.protocol).toBe('realtime');
      socket.send('hello');
      socket.send(Buffer.from([1, 2, 3]));
      while (messages.length < 3) await sleep(5);
      expect(messages).toEqual(['welcome', 'hello', Buffer.from([1, 2, 3])]);
      const { headers, url } = upstream.last();
      expect(url).toBe('/v1/realtime?model=x');
      expect(headers.authorization).toBe('Bearer sk-own-key');
      expect(headers['sec-websocket-protocol']).toBe('realtime');
      socket.close();
      await new Promise((resolve) => socket.once('close', resolve));
    });

    test('end without a goodbye where the upstream goes without one', async () => {
      const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime`, ['realtime'], {
        headers: own,
      });
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      const closed = new Promise<number>((resolve) => socket.once('close', resolve));
      socket.send('die');
      expect(await closed).toBe(1006);
    });

    test('are refused as the upstream refuses them, and without a key', async () => {
      expect(await refusedUpgrade(`${gateway.url.replace('http', 'ws')}/v1/other`, own)).toBe(404);
      expect(await refusedUpgrade(`${gateway.url.replace('http', 'ws')}/v1/realtime`, {})).toBe(401);
    });
  });

  describe('the rest of the surface', () => {
    test('a preflight is answered before anyone asks for a key', async () => {
      const asked = 'authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-os';
      const answer = await fetch(at('/v1/chat/completions'), {
        method: 'OPTIONS',
        headers: {
          origin: 'https://a.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': asked,
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('access-control-allow-headers')).toBe(asked);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-max-age')).toBe('86400');
      expect(upstream.seen).toEqual([]);
    });

    test.each([
      ['GET', '/nowhere', 404, 'not_found'],
      ['DELETE', '/', 405, 'method_not_allowed'],
      ['POST', '/livez', 405, 'method_not_allowed'],
      ['GET', '/v1/models/%ff', 200, null],
      ['GET', '/v1/%2e%2e/admin', 400, 'invalid_request'],
      ['GET', '/v1/a%00b', 400, 'invalid_request'],
    ])('%s %s is a %d', async (method, path, status, code) => {
      const answer = await fetch(at('/x').replace('/x', path), { method, headers: own });
      // A URL parser resolves dot segments before they are sent; the rest is sent as it stands.
      if (path.includes('%2e')) return expect([400, 404]).toContain(answer.status);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('x-request-id')).toMatch(/^req_/);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      if (code)
        expect(await answer.json()).toMatchObject({
          error: { code, message: expect.any(String), param: null },
        });
    });

    test('without a key the answer says where one may come from', async () => {
      const answer = await fetch(at('/v1/chat/completions'), { method: 'POST', body: '{}' });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({
        error: { code: 'invalid_api_key', message: expect.stringContaining('OPENAI_API_KEY') },
      });
    });

    test('two different keys are a 400', async () => {
      const answer = await fetch(at('/v1/models'), { headers: { ...own, 'x-api-key': 'another' } });
      expect(answer.status).toBe(400);
    });

    test('the model list is asked for once', async () => {
      const headers = { authorization: `Bearer sk-list-${name}` };
      for (let i = 0; i < 3; i++) {
        const answer = await fetch(at('/v1/models'), { headers });
        expect(await answer.json()).toMatchObject({
          object: 'list',
          data: [{ id: 'fake-1', extra: 'kept' }],
        });
      }
      expect(upstream.seen.length).toBe(1);
    });

    test('POST / fills in what was left out', async () => {
      const answer = await fetch(at('/'), {
        method: 'POST',
        headers: own,
        body: '{"messages":[],"temperature":0,"seed":12345678901234567890}',
      });
      expect(answer.status).toBe(200);
      expect(upstream.last().url).toBe('/v1/chat/completions');
      expect(upstream.last().headers['content-type']).toBe('application/json');
    });

    test.each([
      ['', 400],
      ['nonsense', 400],
      ['[]', 400],
      ['{}', 400],
    ])('POST / with %j is a %d', async (body, status) => {
      const answer = await fetch(at('/'), { method: 'POST', headers: own, body });
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    });

    test('billing is relayed beside the API', async () => {
      const answer = await fetch(at('/dashboard/billing/usage?start_date=2024-01-01'), { headers: own });
      expect(await answer.json()).toMatchObject({ url: '/dashboard/billing/usage?start_date=2024-01-01' });
    });

    test('health tells nothing but health', async () => {
      for (const path of ['/livez', '/readyz', '/health']) {
        const answer = await fetch(at(path));
        expect([answer.status, await answer.json()]).toEqual([200, { status: 'ok' }]);
      }
    });

    test('the start page shows the base URL and the upstreams, and runs nothing', async () => {
      const answer = await fetch(at('/'), { headers: { accept: 'text/html' } });
      const html = await answer.text();
      expect(html).toContain(`${gateway.url}/v1`);
      expect(html).toContain('openai');
      expect(html).not.toMatch(/<script|src=|https?:\/\/(?!127\.0\.0\.1|localhost)/);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    });
  });
});

function cut(bytes: Buffer, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = start + (sizes[i % sizes.length] as number);
    pieces.push(bytes.subarray(start, end).toString('base64'));
    start = end;
  }
  return pieces;
}

function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}

function refusedUpgrade(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers });
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    socket.on('open', () => reject(new Error('it was not refused')));
    socket.on('error', () => {});
  });
}

function streamOf(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const next = left.shift();
      if (next) controller.enqueue(next);
      else controller.close();
    },
  });
}
