import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Generation } from '../src/emulator/backend/sockets.ts';
import { type Running, runtimes } from './gateways.ts';
import { type SocketUpstream, startSocketUpstream } from './socket-upstream.ts';

const generations: readonly Generation[] = ['flat', 'reliable', 'topics'];

describe.each(generations)('answers over sockets of the %s kind', (generation) => {
  let upstream: SocketUpstream;
  beforeAll(async () => {
    upstream = await startSocketUpstream(generation);
  });
  afterAll(() => upstream.stop());

  describe.each(runtimes)('on $name', ({ start }) => {
    let gateway: Running;
    let client: OpenAI;
    beforeAll(async () => {
      gateway = await start({ BASE_URL: upstream.url });
      client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
    });
    afterAll(() => gateway.stop());
    const ask = async (content: string) =>
      (await client.chat.completions.create({ model: 'gpt-4', messages: [{ role: 'user', content }] }))
        .choices[0]?.message.content;

    test('are put together', async () => {
      expect(await ask('over the water 🌊')).toBe('You said: over the water 🌊');
      expect(
        await client.chat.completions
          .stream({ model: 'gpt-4', messages: [{ role: 'user', content: 'streamed' }] })
          .finalContent(),
      ).toBe('You said: streamed');
    });

    test('are kept apart where several share a socket', async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => ask(`marker-${i}-end`)));
      expect(answers).toEqual(answers.map((_, i) => `You said: marker-${i}-end`));
    });

    test.skipIf(generation === 'topics')('are errors where the socket is cut off', async () => {
      await expect(ask('drop me')).rejects.toThrow(/broke/);
      expect(await ask('and again')).toBe('You said: and again');
    });

    test.runIf(generation === 'reliable')('are acknowledged', async () => {
      upstream.acknowledged.length = 0;
      await ask('word '.repeat(60));
      expect(upstream.acknowledged.length).toBeGreaterThan(0);
    });
  });
});
