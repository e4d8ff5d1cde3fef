import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchEventSource as fortaine } from '@fortaine/fetch-event-source';
import { fetchEventSource as microsoft } from '@microsoft/fetch-event-source';
import { createParser } from 'eventsource-parser';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HeartbeatStyle, heartbeat } from '../src/relay/heartbeat.ts';

/** What real readers of chat streams do with our keep-alives. The table is in docs/clients.md. */

const encode = (text: string) => new TextEncoder().encode(text);
const chunk = (content: string) =>
  `data: ${JSON.stringify({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  })}\n\n`;

const fallback = { id: 'chatcmpl-1', created: 1, model: 'm' };

/** A, a keep-alive, B, two keep-alives, C: a reader must give ABC. */
function bodyWith(style: HeartbeatStyle): string {
  const beat = (last: string | null) =>
    new TextDecoder().decode(heartbeat(style, last === null ? null : encode(last), fallback));
  const [a, b, c] = [chunk('A'), chunk('B'), chunk('C')];
  return `${beat(null)}${a}${beat(a)}${b}${beat(b)}${beat(b)}${c}data: [DONE]\n\n`;
}

type Chunk = { choices: { delta: { content?: string } }[] };
const contentOf = (data: string) => (JSON.parse(data) as Chunk).choices[0]?.delta.content ?? '';

/** Reads with a fetch-event-source, and parses each message as such clients do: without a look. */
const byFetchEventSource = (read: typeof microsoft) => async (url: string) => {
  let text = '';
  await read(url, {
    openWhenHidden: true,
    fetch,
    onmessage({ data }) {
      if (data !== '[DONE]') text += contentOf(data);
    },
    onerror(error) {
      throw error;
    },
  });
  return text;
};

const textOf = async (url: string) => (await fetch(url)).text();

const readers: Readonly<Record<string, (url: string) => Promise<string>>> = {
  '@microsoft/fetch-event-source': byFetchEventSource(microsoft),
  '@fortaine/fetch-event-source': byFetchEventSource(fortaine as unknown as typeof microsoft),
  async 'eventsource-parser'(url) {
    let text = '';
    const parser = createParser({
      onEvent: ({ data }) => {
        if (data !== '[DONE]') text += contentOf(data);
      },
    });
    parser.feed(await textOf(url));
    return text;
  },
  async openai(url) {
    const client = new OpenAI({ baseURL: url, apiKey: 'k', maxRetries: 0, dangerouslyAllowBrowser: true });
    const stream = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    let text = '';
    for await (const part of stream) text += part.choices[0]?.delta.content ?? '';
    return text;
  },
  async 'split at blank lines'(url) {
    const events = (await textOf(url)).split('\n\n').filter((event) => event.startsWith('data:'));
    return events
      .filter((event) => !event.includes('[DONE]'))
      .map((event) => contentOf(event.slice(5)))
      .join('');
  },
  async 'split at newlines'(url) {
    const lines = (await textOf(url)).split('\n').filter((line) => line.startsWith('data:'));
    return lines
      .filter((line) => !line.includes('[DONE]'))
      .map((line) => contentOf(line.slice(5)))
      .join('');
  },
  async 'split at newlines, parse every line'(url) {
    const lines = (await textOf(url)).split('\n').filter(Boolean);
    return lines
      .map((line) => line.replace('data: ', ''))
      .filter((line) => line !== '[DONE]')
      .map(contentOf)
      .join('');
  },
};

/** The readers that a comment line breaks: the reason why chat streams get chunks. */
const brokenByComment = ['split at blank lines', 'split at newlines, parse every line'];

describe('a reader of chat streams', () => {
  let server: Server;
  let base: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const style = request.url?.split('/')[1] as HeartbeatStyle;
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(bodyWith(style));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // The libraries are made for browsers.
    Object.assign(globalThis, {
      document: { hidden: false, addEventListener: () => {}, removeEventListener: () => {} },
      window: globalThis,
    });
  });
  afterAll(() => {
    server.close();
    for (const name of ['document', 'window']) Reflect.deleteProperty(globalThis, name);
  });

  test.each(Object.keys(readers))('%s takes no harm from an empty chunk', async (name) => {
    expect(await readers[name]?.(`${base}/chunk`)).toBe('ABC');
  });

  test.each(Object.keys(readers))('%s and a comment', async (name) => {
    const reading = readers[name]?.(`${base}/comment`) ?? Promise.reject(new Error('no reader'));
    const isRight = await reading.then(
      (text) => text === 'ABC',
      () => false,
    );
    expect(isRight).toBe(!brokenByComment.includes(name));
  });
});
