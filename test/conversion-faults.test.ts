import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, runtimes } from './gateways.ts';
import { readUntilBroken } from './read-until-broken.ts';

type Part = string | number | Buffer | 'reset';
type Fault = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly parts: readonly Part[];
};

const message = (text: string, status = 'in_progress', more: object = {}) => ({
  id: 'm1',
  author: { role: 'assistant' },
  content: { content_type: 'text', parts: [text] },
  status,
  end_turn: status === 'in_progress' ? null : true,
  metadata: {},
  recipient: 'all',
  ...more,
});
const event = (text: string, status?: string, more?: object) =>
  `data: ${JSON.stringify({ message: message(text, status, more), conversation_id: 'c1', error: null })}\n\n`;
const whole = `${event('Hello')}${event('Hello 世界', 'finished_successfully')}data: [DONE]\n\n`;
const done = 'data: [DONE]\n\n';
const bytes = Buffer.from(whole);
const oneByOne = [...bytes].map((_, i) => bytes.subarray(i, i + 1));

/** What the upstream sends, and what the caller must see: an answer, a status, or an error line. */
const faults: Readonly<
  Record<
    string,
    Fault & {
      readonly answer?: string;
      readonly status200?: false;
      readonly error?: string;
      readonly refused?: number;
    }
  >
> = {
  'one byte in a packet': { parts: oneByOne, answer: 'Hello 世界' },
  'all in one packet': { parts: [whole], answer: 'Hello 世界' },
  'a byte order mark': { parts: [`\uFEFF${whole}`], answer: 'Hello 世界' },
  'comments and retry': { parts: [`: hi\nretry: 10\n\n${whole}`], answer: 'Hello 世界' },
  'CRLF cut in two': {
    parts: [whole.replaceAll('\n', '\r\n').slice(0, 101), whole.replaceAll('\n', '\r\n').slice(101)],
    answer: 'Hello 世界',
  },
  'a line of 10 MB': {
    parts: [event('x'.repeat(10_000_000), 'finished_successfully'), done],
    answer: 'x'.repeat(10_000_000),
  },
  'no [DONE] after the end of the turn': {
    parts: [event('Hello', 'finished_successfully')],
    answer: 'Hello',
  },
  'two [DONE]': { parts: [whole, done], answer: 'Hello 世界' },
  'text after [DONE]': {
    parts: [whole, event('Hello 世界 and more', 'finished_successfully')],
    answer: 'Hello 世界',
  },
  'no blank line after [DONE]': {
    parts: [event('Hello', 'finished_successfully'), 'data: [DONE]'],
    answer: 'Hello',
  },
  'text that shrinks and grows again': {
    parts: [event('Hello wor'), event('Hello'), event('Hello world', 'finished_successfully'), done],
    answer: 'Hello world',
  },
  'text only in the finished snapshot': {
    parts: [event(''), event('All at once.', 'finished_successfully'), done],
    answer: 'All at once.',
  },
  'the word ping in the answer': {
    parts: [event('event: ping\ndata: x', 'finished_successfully'), done],
    answer: 'event: ping\ndata: x',
  },
  'a bracket at the end': { parts: [event('See (', 'finished_successfully'), done], answer: 'See (' },
  'unknown events and content': {
    parts: [
      'data: {"type":"new_thing"}\n\n',
      `data: ${JSON.stringify({ message: { id: 'x', author: { role: 'assistant' }, content: { content_type: 'hologram' }, recipient: 'all' } })}\n\n`,
      whole,
    ],
    answer: 'Hello 世界',
  },
  'empty parts': {
    parts: [
      `data: ${JSON.stringify({ message: { ...message(''), content: { content_type: 'text', parts: [] } } })}\n\n`,
      whole,
    ],
    answer: 'Hello 世界',
  },
  gzip: { headers: { 'content-encoding': 'gzip' }, parts: [gzipSync(whole)], answer: 'Hello 世界' },
  'an error event at once': {
    parts: ['data: {"message":null,"conversation_id":"c1","error":"Unusual activity."}\n\n', done],
    refused: 502,
  },
  'an event named error': {
    parts: ['event: error\ndata: {"error":{"message":"Went wrong."}}\n\n', done],
    refused: 502,
  },
  'an error after text': {
    parts: [event('Half'), 'data: {"message":null,"error":"Went wrong."}\n\n', done],
    error: 'Went wrong.',
  },
  'an event that is not JSON': { parts: [event('Half'), 'data: {"mess\n\n', done], error: 'not JSON' },
  'nothing but [DONE]': { parts: [done], refused: 502 },
  'nothing at all': { parts: [], refused: 502 },
  'a connection that breaks': { parts: [event('Half'), 20, 'reset'], error: 'broke off' },
  'a stream that ends early': { parts: [event('Half')], error: 'broke off' },
  'silence after headers': { parts: [5000], refused: 504 },
  'silence after text': { parts: [event('Half'), 5000], error: 'IDLE_TIMEOUT' },
  'pings for ever': {
    parts: Array.from({ length: 40 }, () => [': ping\n\n', 50]).flat() as Part[],
    refused: 502,
  },
  'JSON that says stream': { parts: ['{"detail":{"message":"Not today."}}'], refused: 502 },
  'a page with 200': {
    headers: { 'content-type': 'text/html' },
    parts: ['<html>hello</html>'],
    refused: 502,
  },
  'JSON that is none': { headers: { 'content-type': 'application/json' }, parts: ['nonsense'], refused: 502 },
  'a length that is never reached': {
    headers: { 'content-length': '99999' },
    parts: [event('Half'), 20, 'reset'],
    error: 'broke off',
  },
  'cookies, and a head said twice': {
    headers: { 'set-cookie': 'a=1' },
    parts: [whole],
    answer: 'Hello 世界',
  },
  'a head of 100 KB': {
    headers: { 'x-long': 'a'.repeat(100_000) },
    parts: [whole],
    answer: 'Hello 世界',
    refused: 502,
  },
  'a bill that is not paid': {
    status: 402,
    headers: { 'content-type': 'application/json' },
    parts: ['{"detail":"No credit is left."}'],
    refused: 502,
  },
  'an answer that a browser would not get': {
    status: 403,
    headers: { 'content-type': 'text/html' },
    parts: ['<html>'],
    refused: 502,
  },
  'no content': { status: 204, parts: [], refused: 502 },
  'a redirect elsewhere': {
    status: 302,
    headers: { location: 'http://127.0.0.1:9/' },
    parts: [],
    refused: 502,
  },
  'an overloaded upstream': {
    status: 529,
    headers: { 'content-type': 'application/json' },
    parts: ['{}'],
    refused: 502,
  },
};

let server: Server;
beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (!request.url?.endsWith('/backend-api/conversation'))
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    const payload = JSON.parse(Buffer.concat(chunks).toString()) as {
      messages: { content: { parts: string[] } }[];
    };
    const fault = faults[payload.messages.at(-1)?.content.parts[0] ?? ''];
    await misbehave(response, fault ?? { parts: [whole] });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function misbehave(response: ServerResponse, { status = 200, headers, parts }: Fault): Promise<void> {
  response.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
  response.flushHeaders();
  for (const part of parts) {
    if (response.destroyed) return;
    if (part === 'reset') return void response.destroy();
    if (typeof part === 'number') await sleep(part);
    else {
      response.write(part);
      if (parts.length > 100) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  response.end();
}

describe.each(runtimes)(
  'a misbehaving backend-api upstream behind a gateway on $name',
  ({ name: runtime, start }) => {
    let gateway: Running;
    beforeAll(async () => {
      gateway = await start({
        BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        IDLE_TIMEOUT: '2',
        FIRST_BYTE_TIMEOUT: '20',
        KEEPALIVE_SECONDS: '10',
      });
    });
    afterAll(() => gateway.stop());

    const ask = (content: string, stream: boolean) =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer fk-caller', 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4', stream, messages: [{ role: 'user', content }] }),
      });

    test.each(Object.keys(faults))('%s', async (name) => {
      const { answer, error, refused } = faults[name] as (typeof faults)[string];
      const [plain, streamed] = await Promise.all([ask(name, false), ask(name, true)]);
      // workerd reads heads of any length.
      if (refused && !(runtime === 'workerd' && name === 'a head of 100 KB')) {
        for (const response of [plain, streamed]) {
          expect([response.status, await response.json()]).toMatchObject([
            refused,
            { error: { message: expect.stringMatching(/.{10,}/) } },
          ]);
        }
        return;
      }
      const { text, isBroken } = await readUntilBroken(streamed);
      expect(isBroken).toBe(answer === undefined);
      const data = text
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => JSON.parse(line.slice(6)));
      const content = data.map(({ choices }) => choices?.[0]?.delta?.content ?? '').join('');
      if (answer !== undefined) {
        const body = await plain.json();
        expect(plain.status).toBe(200);
        expect(body.choices[0].message.content === answer).toBe(true);
        expect(body.choices[0].finish_reason).toBe('stop');
        expect(content === answer).toBe(true);
        expect(text.endsWith(done)).toBe(true);
        return;
      }
      expect(plain.status).toBeGreaterThanOrEqual(500);
      expect(streamed.status).toBe(200);
      expect(content).toBe('Half');
      expect(data.at(-1).error.message).toContain(error);
      expect(text).not.toContain('[DONE]');
      expect(data.some(({ choices }) => choices?.[0]?.finish_reason)).toBe(false);
    });
  },
);
