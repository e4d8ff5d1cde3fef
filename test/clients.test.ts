import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { generateText, stepCountIs, streamText, tool } from 'ai';
import OpenAI, { APIError, APIUserAbortError, NotFoundError, RateLimitError, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Running, runtimes } from './gateways.ts';

/** The gateway has no configuration here, so the built-in emulator answers. */
describe.each(runtimes)('with the emulator behind a gateway on $name,', ({ start }) => {
  let gateway: Running;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await start({});
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 });
  });
  afterAll(() => gateway.stop());
  const hello = [{ role: 'user' as const, content: 'What is a sluice?' }];

  describe('the official SDK', () => {
    test('chats', async () => {
      const { data, request_id: id } = await client.chat.completions
        .create({ model: 'gpt-4o-mini', messages: hello })
        .withResponse();
      expect(data.choices[0]?.message.content).toBe('You said: What is a sluice?');
      expect(data.usage?.total_tokens).toBeGreaterThan(0);
      expect(id).toMatch(/^req_/);
    });

    test('streams, and the pieces make the whole', async () => {
      const stream = client.chat.completions.stream({
        model: 'gpt-4o-mini',
        messages: hello,
        stream_options: { include_usage: true },
      });
      let text = '';
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      const final = await stream.finalChatCompletion();
      expect(text).toBe('You said: What is a sluice?');
      expect(final.choices[0]?.message.content).toBe(text);
      expect(final.usage?.completion_tokens).toBeGreaterThan(0);
    });

    test('runs tools until there is an answer', async () => {
      const runner = client.chat.completions.runTools({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: 'call get_weather' }],
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              description: 'Weather',
              parse: JSON.parse,
              function: (args: { city: string }) => `sunny in ${args.city}`,
              parameters: { type: 'object', properties: { city: { type: 'string', enum: ['Delft'] } } },
            },
          },
        ],
        stream: true,
      });
      expect(await runner.finalContent()).toBe('The tool answered: sunny in Delft');
    });

    test('uses the responses API, streaming and not', async () => {
      const whole = await client.responses.create({ model: 'gpt-4o', input: 'hi there' });
      expect(whole.output_text).toContain('emulator built into sluice');
      const types: string[] = [];
      let text = '';
      for await (const event of await client.responses.create({
        model: 'gpt-4o',
        input: 'hi there',
        stream: true,
      })) {
        types.push(event.type);
        if (event.type === 'response.output_text.delta') text += event.delta;
      }
      expect(text).toBe(whole.output_text);
      expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed']);
    });

    test('embeds', async () => {
      const { data } = await client.embeddings.create({
        model: 'text-embedding-3-small',
        input: ['a', 'b'],
        dimensions: 8,
      });
      expect(data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
      expect(Math.hypot(...(data[0]?.embedding ?? []))).toBeCloseTo(1, 5);
    });

    test('draws', async () => {
      const { data } = await client.images.generate({
        model: 'dall-e-3',
        prompt: 'a lock on a canal',
        response_format: 'b64_json',
      });
      expect(
        Buffer.from(data?.[0]?.b64_json ?? '', 'base64')
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
      const image = await toFile(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'), 'in.png', {
        type: 'image/png',
      });
      const edited = await client.images.edit({ model: 'gpt-image-1', image, prompt: 'more water' });
      expect(edited.data?.[0]?.b64_json).toBeTruthy();
    });

    test('uploads, lists, downloads and deletes a file', async () => {
      const bytes = Buffer.alloc(100_000, 'bytes and more ');
      const file = await client.files.create({
        file: await toFile(bytes, 'data.bin'),
        purpose: 'assistants',
      });
      expect(file.bytes).toBe(bytes.length);
      expect((await client.files.list()).data.map(({ id }) => id)).toContain(file.id);
      const content = Buffer.from(await (await client.files.content(file.id)).arrayBuffer());
      expect(content.equals(bytes)).toBe(true);
      expect(await client.files.delete(file.id)).toMatchObject({ deleted: true });
      await expect(client.files.retrieve(file.id)).rejects.toThrow(NotFoundError);
    });

    test('speaks and listens', async () => {
      const speech = await client.audio.speech.create({
        model: 'tts-1',
        voice: 'alloy',
        input: 'water under the bridge',
      });
      const wav = Buffer.from(await speech.arrayBuffer());
      expect(wav.subarray(0, 4).toString()).toBe('RIFF');
      const heard = await client.audio.transcriptions.create({
        model: 'whisper-1',
        file: await toFile(wav, 'speech.wav'),
      });
      expect(heard.text).toBe(`I heard ${wav.length} bytes of speech.wav.`);
    });

    test('lists and finds models', async () => {
      const { data } = await client.models.list();
      expect(data.map(({ id }) => id)).toContain('gpt-4o-mini');
      expect(await client.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o' });
      await expect(client.models.retrieve('nothing')).rejects.toThrow(NotFoundError);
    });

    test('gets the upstream’s errors as its own classes', async () => {
      const error = await client.chat.completions
        .create({ model: 'error-429', messages: hello })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RateLimitError);
      expect((error as APIError).headers?.get('retry-after')).toBe('1');
    });

    test('raises an error in the middle of a stream', async () => {
      const stream = await client.chat.completions.create({
        model: 'gpt-4o',
        messages: [{ role: 'user', content: 'break off' }],
        stream: true,
      });
      const read = async () => {
        for await (const _ of stream);
      };
      await expect(read()).rejects.toThrow(APIError);
    });

    test('leaves in the middle of a stream', async () => {
      const slow = { headers: { 'x-emulator-delay-ms': '50' } };
      const stream = await client.chat.completions.create(
        { model: 'gpt-4o', messages: hello, stream: true },
        slow,
      );
      let chunks = 0;
      for await (const _ of stream) if (++chunks === 2) break;
      const abort = new AbortController();
      const waiting = client.chat.completions.create(
        { model: 'gpt-4o', messages: hello },
        { headers: { 'x-emulator-first-delay-ms': '5000' }, signal: abort.signal },
      );
      setTimeout(() => abort.abort(), 50);
      await expect(waiting).rejects.toThrow(APIUserAbortError);
    });

    test('retries what may be retried', async () => {
      const started = Date.now();
      await expect(
        client.chat.completions.create({ model: 'error-429', messages: hello }, { maxRetries: 1 }),
      ).rejects.toThrow(RateLimitError);
      expect(Date.now() - started).toBeGreaterThan(900);
    });

    test('works with a base URL without /v1', async () => {
      const bare = new OpenAI({ baseURL: gateway.url, apiKey: 'any' });
      expect((await bare.chat.completions.create({ model: 'gpt-4o', messages: hello })).choices.length).toBe(
        1,
      );
    });
  });

  describe('the AI SDK', () => {
    test('streams text and runs a tool', async () => {
      const provider = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any' });
      const { textStream } = streamText({ model: provider.chat('gpt-4o-mini'), prompt: 'What is a lock?' });
      let text = '';
      for await (const piece of textStream) text += piece;
      expect(text).toBe('You said: What is a lock?');
      const result = await generateText({
        model: provider('gpt-4o-mini'),
        prompt: 'call depth please',
        tools: {
          depth: tool({
            inputSchema: z.object({ canal: z.literal('Nieuwe') }),
            execute: ({ canal }) => `${canal}: 3 m`,
          }),
        },
        stopWhen: stepCountIs(3),
      });
      expect(result.text).toContain('Nieuwe: 3 m');
    });
  });

  describe('LangChain', () => {
    test('invokes, streams and embeds', async () => {
      const configuration = { baseURL: `${gateway.url}/v1` };
      const model = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'any', configuration });
      expect((await model.invoke('What is a weir?')).content).toBe('You said: What is a weir?');
      let text = '';
      for await (const chunk of await model.stream('What is a weir?')) text += chunk.content;
      expect(text).toBe('You said: What is a weir?');
      const vectors = await new OpenAIEmbeddings({
        model: 'text-embedding-3-small',
        apiKey: 'any',
        configuration,
      }).embedDocuments(['a', 'b']);
      expect(vectors.length).toBe(2);
    });
  });
});
