import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from '../../../test/fake-upstream.ts';
import { type Running, startOnNode } from '../../../test/gateways.ts';

let upstream: FakeUpstream;
let gateway: Running;
beforeAll(async () => {
  upstream = await startFakeUpstream();
  gateway = await startOnNode({ OPENAI_BASE_URL: upstream.url, MAX_RELAY_BYTES: '200000' });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

/**
 * Sends bytes as they stand and gives all that comes back until the connection ends or falls
 * silent.
 */
async function raw(...pieces: readonly (string | number)[]): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  const closed = new Promise<void>((resolve) =>
    socket.once('close', () => resolve()).once('error', () => resolve()),
  );
  for (const piece of pieces) {
    if (typeof piece === 'number') await sleep(piece);
    else socket.write(piece, 'latin1');
  }
  await Promise.race([closed, sleep(500)]);
  socket.destroy();
  return answer;
}

const head = 'Host: gate\r\nAuthorization: Bearer sk-own\r\n';

/** Status and error of each answer in what came back. */
function statuses(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)]
    .map(([, status]) => Number(status))
    .filter((status) => status !== 100);
}

describe('bad requests are refused clearly, and the next one is served', () => {
  test.each([
    [
      'two lengths',
      `POST /v1/echo HTTP/1.1\r\n${head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd`,
      400,
    ],
    [
      'a length and chunks',
      `POST /v1/echo HTTP/1.1\r\n${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    [
      'chunks hidden behind a second coding',
      `POST /v1/echo HTTP/1.1\r\n${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a length that is no number', `POST /v1/echo HTTP/1.1\r\n${head}Content-Length: 4x\r\n\r\nabcd`, 400],
    ['a header with a space before the colon', `GET /v1/x HTTP/1.1\r\n${head}X-A : b\r\n\r\n`, 400],
    ['a line folded', `GET /v1/x HTTP/1.1\r\n${head}X-A: b\r\n c\r\n\r\n`, 400],
    ['100 KB of headers', `GET /v1/x HTTP/1.1\r\n${head}X-A: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
    [
      '2,000 headers',
      `GET /v1/x HTTP/1.1\r\n${head}${Array.from({ length: 2000 }, (_, i) => `X-${i}: a\r\n`).join('')}\r\n`,
      431,
    ],
    ['no HTTP at all', 'hello there\r\n\r\n', 400],
    ['no Host', 'GET /v1/x HTTP/1.1\r\nAuthorization: Bearer sk-own\r\n\r\n', 400],
    ['another expectation', `POST /v1/x HTTP/1.1\r\n${head}Expect: magic\r\nContent-Length: 1\r\n\r\na`, 400],
    ['a dot segment', `GET /v1/../admin HTTP/1.1\r\n${head}\r\n`, 400],
    ['a backslash', `GET /v1\\..\\admin HTTP/1.1\r\n${head}\r\n`, 400],
    ['TRACE', `TRACE /v1/x HTTP/1.1\r\n${head}\r\n`, 405],
  ])('%s', async (_, request, status) => {
    const answer = await raw(request);
    expect(statuses(answer)).toEqual([status]);
    expect(answer).toMatch(/access-control-allow-origin: \*/i);
    expect(answer).toMatch(/x-request-id: req_/i);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({
      error: { message: expect.stringMatching(/\.$/), type: 'invalid_request_error' },
    });
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
  });

  test('CONNECT is not served', async () => {
    expect(
      statuses(await raw(`CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n`)),
    ).not.toContain(200);
  });
});

describe('what a target names is what is asked for', () => {
  test.each([
    ['absolute form', 'GET http://elsewhere.example/v1/headers?a=1 HTTP/1.1\r\n', '/v1/headers?a=1'],
    ['doubled slashes', 'GET //v1//headers HTTP/1.1\r\n', '/v1/headers'],
    ['an encoded slash', 'GET /v1/models/org%2Fname HTTP/1.1\r\n', '/v1/models/org%2Fname'],
  ])('%s', async (_, line, url) => {
    upstream.clear();
    const answer = await raw(`${line}${head}\r\n`);
    expect(statuses(answer)).toEqual([200]);
    expect(upstream.last().url).toBe(url);
    expect(upstream.last().headers.host).toBe(new URL(upstream.url).host);
  });

  test('a dot segment behind an encoded slash is refused', async () => {
    expect(statuses(await raw(`GET /v1/files%2F..%2Fheaders HTTP/1.1\r\n${head}\r\n`))).toEqual([400]);
  });

  test.each(['x/public?', '127.0.0.1:1/v1', '"><script>'])('Host: %s is refused', async (host) => {
    const answer = await raw(
      `GET /v1/headers HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer sk-own\r\n\r\n`,
    );
    expect(statuses(answer)).toEqual([400]);
    expect(answer).not.toContain('<script>');
  });

  test.each(['evil.example', '127.0.0.1:1'])('Host: %s changes neither route nor upstream', async (host) => {
    upstream.clear();
    const answer = await raw(
      `GET /v1/headers HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer sk-own\r\n\r\n`,
    );
    expect(statuses(answer)).toEqual([200]);
    expect(upstream.last().url).toBe('/v1/headers');
    expect(await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).not.toContain('<script>');
  });
});

describe('bodies', () => {
  test('100-continue is said once the request is admitted, and not before', async () => {
    const admitted = await raw(
      `POST /v1/echo HTTP/1.1\r\n${head}Expect: 100-continue\r\nContent-Length: 4\r\n\r\n`,
      100,
      'abcd',
    );
    expect(admitted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    expect(admitted).toContain('abcd');
    const refused = await raw(
      'POST /v1/echo HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('beyond MAX_RELAY_BYTES they are a 413, with a length and without', async () => {
    const known = await fetch(`${gateway.url}/v1/sink`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-own' },
      body: Buffer.alloc(200_001),
    });
    expect([known.status, await known.json()]).toMatchObject([
      413,
      { error: { message: expect.stringContaining('MAX_RELAY_BYTES') } },
    ]);
    const chunk = `${(100_000).toString(16)}\r\n${'a'.repeat(100_000)}\r\n`;
    const chunked = await raw(
      `POST /v1/sink HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n`,
      chunk,
      chunk,
      chunk,
      '0\r\n\r\n',
    );
    expect(statuses(chunked)).toEqual([413]);
  });

  test('pipelined requests are answered in order', async () => {
    const one = (path: string) => `GET ${path} HTTP/1.1\r\n${head}\r\n`;
    const answer = await raw(one('/v1/status?body=first') + one('/livez') + one('/v1/status?body=third'));
    expect(answer).toMatch(/first.*"status":"ok".*third/s);
  });

  test('an Upgrade that is no WebSocket goes on as a plain request', async () => {
    const answer = await raw(
      `GET /v1/headers HTTP/1.1\r\n${head}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n`,
    );
    expect(statuses(answer)).toEqual([200]);
    expect(answer).not.toMatch(/HTTP2-Settings|h2c/i);
  });
});
