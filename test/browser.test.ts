import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { type Browser, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromium, chromiumFlags } from './chromium.ts';
import { type Running, runtimes } from './gateways.ts';

const executablePath = chromium();
let browser: Browser;
let site: Server;
let origin: string;

/** A page on another origin that talks to the gateway with the official SDK. */
const script = `
import OpenAI from 'openai';
window.run = async (baseURL) => {
  const client = new OpenAI({ baseURL, apiKey: 'any', dangerouslyAllowBrowser: true, maxRetries: 0 });
  const said = [{ role: 'user', content: 'What is a sluice?' }];
  let text = '';
  for await (const chunk of await client.chat.completions.create({ model: 'gpt-4o-mini', messages: said, stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? '';
  }
  const { request_id } = await client.models.list().withResponse();
  const refused = await client.chat.completions.create({ model: 'error-429', messages: said }).catch((error) => error);
  return { text, request_id, status: refused.status, retryAfter: refused.headers?.get('retry-after') };
};
document.title = 'ready';
`;

describe.skipIf(executablePath === null)('in a real browser', () => {
  beforeAll(async () => {
    const bundle = await build({
      stdin: { contents: script, resolveDir: '.', loader: 'js' },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    });
    site = createServer((request, response) => {
      const isScript = request.url === '/app.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(
        isScript
          ? bundle.outputFiles[0]?.text
          : '<!doctype html><script type="module" src="/app.js"></script>',
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => site.once('listening', resolve));
    origin = `http://localhost:${(site.address() as AddressInfo).port}`;
    browser = await playwright.launch({ executablePath: executablePath ?? '', args: chromiumFlags });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  describe.each(runtimes)('with the gateway on $name', ({ name, start }) => {
    let gateway: Running;
    beforeAll(async () => {
      gateway = await start({});
    });
    afterAll(() => gateway.stop());

    test('the SDK on another origin streams, reads ids and errors', async () => {
      const page = await browser.newPage();
      await page.goto(origin);
      await page.waitForFunction(() => document.title === 'ready');
      const result = await page.evaluate(
        (base) => (window as unknown as { run(base: string): Promise<unknown> }).run(base),
        `${gateway.url}/v1`,
      );
      expect(result).toEqual({
        text: 'You said: What is a sluice?',
        request_id: expect.stringMatching(/^req_/),
        status: 429,
        retryAfter: '1',
      });
      await page.close();
    });

    // The page is the same from both runtimes, so `npm test` looks at it on one only.
    test.runIf(process.env.TEST_LONG || name === 'node')(
      'the start page is right: light, dark, wide, narrow, without foreign assets',
      async () => {
        mkdirSync('test/artefacts', { recursive: true });
        for (const [colorScheme, width] of [
          ['light', 1280],
          ['dark', 390],
        ] as const) {
          const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
          const asked: string[] = [];
          const complaints: string[] = [];
          page.on('request', (request) => asked.push(request.url()));
          page.on('console', (message) => complaints.push(message.text()));
          await page.goto(gateway.url);
          expect(await page.textContent('.base')).toBe(`${gateway.url}/v1`);
          expect(asked.filter((url) => !url.startsWith(gateway.url))).toEqual([]);
          expect(complaints.filter((text) => !text.includes('favicon'))).toEqual([]);
          expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(
            true,
          );
          await page.screenshot({ path: `test/artefacts/start-${name}-${colorScheme}.png` });
          await page.close();
        }
      },
    );
  });
});
