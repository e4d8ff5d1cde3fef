import { mkdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../src/emulator/png.ts';
import { chromium, chromiumFlags } from './chromium.ts';
import { type Running, runtimes, startInWorkerd } from './gateways.ts';

const executablePath = chromium();
const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
let browser: Browser;

/** Serious faults that axe finds on a page. */
async function faults(page: Page): Promise<unknown> {
  // By the debugger, since the page's own policy lets no other script in.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (
      window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => [id, nodes[0]?.html]);
  });
}

/** What a page and all that it loaded weigh, compressed. */
async function weigh(page: Page): Promise<number> {
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  const files = [page.url(), ...loaded].filter((url) => /\/(assets\/|balance$|play$|doctor$)/.test(url));
  const bodies = await Promise.all(files.map((url) => fetch(url).then((answer) => answer.bytes())));
  return bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
}

describe.skipIf(executablePath === null)('the pages, in a real browser', () => {
  beforeAll(async () => {
    mkdirSync('test/artefacts', { recursive: true });
    browser = await playwright.launch({ executablePath: executablePath ?? '', args: chromiumFlags });
  }, 120_000);
  afterAll(() => browser?.close());

  // The same files come from both runtimes, so `npm test` looks at them closely on one only.
  const closely = process.env.TEST_LONG ? runtimes : runtimes.slice(0, 1);

  test('workerd serves a page that works', async ({ onTestFinished }) => {
    const gateway = await startInWorkerd({});
    onTestFinished(() => gateway.stop());
    const page = await browser.newPage({ locale: 'en-GB' });
    await page.goto(`${gateway.url}/doctor`);
    await page.getByRole('button', { name: 'Run checks' }).click();
    await page.getByText('Done:').waitFor({ timeout: 30_000 });
    expect(await page.locator('.findings').innerText()).not.toContain('✗');
    await page.close();
  });

  describe.each(closely)('served by $name', ({ name, start }) => {
    let gateway: Running;
    beforeAll(async () => {
      gateway = await start({});
    });
    afterAll(() => gateway.stop());

    const open = async (
      path: string,
      options: object = {},
    ): Promise<{ page: Page; complaints: string[]; size(): Promise<number> }> => {
      const page = await browser.newPage({
        locale: 'en-GB',
        viewport: { width: 1100, height: 800 },
        ...options,
      });
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('request', (request) => {
        if (!request.url().startsWith(gateway.url) && !request.url().startsWith('data:'))
          complaints.push(request.url());
      });
      await page.goto(gateway.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      return { page, complaints, size: () => weigh(page) };
    };
    const shot = (page: Page, what: string) =>
      page.screenshot({ path: `test/artefacts/${what}-${name}.png`, fullPage: true });

    test('the balance page asks for each key, and drops the dead ones', async () => {
      const { page, complaints, size } = await open('/balance');
      await page
        .getByLabel('Keys, one per line')
        .fill('sk-first-key-0001\nsk-second-key-0002, sk-first-key-0001\nbad');
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('Not checked, because it cannot be a key: bad').waitFor();
      const rows = page.getByRole('row');
      await expect.poll(() => rows.count()).toBe(3);
      const text = await rows.nth(1).innerText();
      expect(text).toContain('sk-firs…0001');
      expect(text).not.toContain('sk-first-key-0001');
      for (const word of ['works', 'Emulated', '120.00', '12.35', '107.66', '2030-03-17'])
        expect(text).toContain(word);
      const saved = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Save as CSV' }).click();
      expect(readFileSync(await (await saved).path(), 'utf8')).toContain('sk-first-key-0001,ok,Emulated');
      await page.getByRole('button', { name: 'Remove dead keys' }).click();
      expect(await page.getByLabel('Keys, one per line').inputValue()).toBe(
        'sk-first-key-0001\nsk-second-key-0002',
      );
      expect(
        await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie])),
      ).not.toContain('sk-');
      expect(await faults(page)).toEqual([]);
      await shot(page, 'balance');
      expect(complaints).toEqual([]);
      expect(await size()).toBeGreaterThan(5_000);
      expect(await size()).toBeLessThan(60_000);
      await page.close();
    });

    test('a page is usable on a phone, in the dark, in Chinese, and by keyboard', async () => {
      const { page } = await open('/balance', {
        locale: 'zh-CN',
        colorScheme: 'dark',
        viewport: { width: 360, height: 700 },
      });
      await page.getByLabel('密钥，每行一个').focus();
      await page.keyboard.type('sk-first-key-0001');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByText('107.66', { exact: true }).waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
      expect(await faults(page)).toEqual([]);
      await shot(page, 'balance-phone');
      await page.getByRole('button', { name: 'English' }).click();
      await page.getByRole('heading', { name: 'Balances' }).waitFor();
      await page.close();
    });

    test('the playground chats, sends pictures, shows pictures, and gives the request away', async () => {
      const { page, complaints, size } = await open('/play');
      const send = async (text: string) => {
        await page.getByLabel('Message').fill(text);
        await expect.poll(() => page.getByLabel('Message').inputValue()).toBe(text);
        await page.getByRole('button', { name: 'Send' }).click();
        await page.getByRole('button', { name: 'Send' }).waitFor();
      };
      // The page is ready when it has the models.
      await expect.poll(() => page.locator('datalist option').count()).toBeGreaterThan(5);
      await send('What is a **sluice**?');
      await page.getByText('You said: What is a sluice?').waitFor();
      await page.getByLabel('Pictures').setInputFiles({
        name: 'a.png',
        mimeType: 'image/png',
        buffer: Buffer.from(picture('a')),
      });
      await page.getByRole('button', { name: 'Remove picture' }).waitFor();
      await page.getByText('This request as code').click();
      expect(await page.locator('pre').last().innerText()).toContain('data:image/png;base64,');
      await send('And this?');
      await page.getByLabel('Model').fill('gpt-4-s');
      await send('draw 1');
      await expect
        .poll(() =>
          page
            .locator('.turn img')
            .last()
            .evaluate((img) => (img as HTMLImageElement).naturalWidth),
        )
        .toBeGreaterThan(0);
      await page.getByRole('button', { name: 'Python' }).click();
      expect(await page.locator('pre').last().innerText()).toContain('from openai import OpenAI');
      expect(await faults(page)).toEqual([]);
      await shot(page, 'play');
      expect(complaints).toEqual([]);
      expect(await size()).toBeLessThan(60_000);
      await page.close();
    });

    test('the playground says what went wrong', async () => {
      const { page } = await open('/play');
      await page.getByLabel('Model').fill('error-429');
      await page.getByLabel('Message').fill('x');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.turn .bad').waitFor();
      // Markup in an answer stays text.
      await page.getByLabel('Model').fill('gpt-4o-mini');
      await page.getByLabel('Message').fill('<img src=x onerror=alert(1)> [a](javascript:alert(1))');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.turn').getByText('You said: <img src=x').waitFor();
      expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
      await page.close();
    });

    test('the playground works by keyboard, and sends what failed again on its own', async () => {
      const { page } = await open('/play');
      const box = page.getByLabel('Message');
      await page.getByLabel('Model').fill('error-500');
      await box.focus();
      await page.keyboard.type('first');
      await page.keyboard.press('Shift+Enter');
      await page.keyboard.type('line');
      await page.keyboard.press('Enter');
      await page.locator('.turn .bad').waitFor();
      // The text comes back, and the box keeps the focus.
      await expect.poll(() => box.inputValue()).toBe('first\nline');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('message');
      await page.getByLabel('Model').fill('gpt-4o-mini');
      const request = page.waitForRequest((each) => each.method() === 'POST');
      await page.getByRole('button', { name: 'Retry' }).click();
      expect((await request).postDataJSON().messages).toEqual([{ role: 'user', content: 'first\nline' }]);
      await page.getByText('You said: first').waitFor();
      // An input method's Enter chooses a word.
      await box.evaluate((element) => {
        (element as HTMLTextAreaElement).value = '你好';
        element.dispatchEvent(new InputEvent('input', { bubbles: true }));
        element.dispatchEvent(
          new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }),
        );
      });
      expect(await box.inputValue()).toBe('你好');
      await page.close();
    }, 30_000);

    test('the playground shows tables, formulas, tasks and code, and reasoning apart', async () => {
      const { page } = await open('/play');
      const text = [
        '| Model | Price |',
        '|--|--:|',
        '| a | 1 |',
        '',
        'So \\(a^2\\,b\\) &amp; \\[x\\].',
        '',
        '- [x] done',
        '',
        '```js',
        'const a = 1;',
        '```',
      ].join('\n');
      const chunks = [{ reasoning_content: 'Let me think.' }, { content: text }].map(
        (delta) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`,
      );
      await page.route('**/v1/chat/completions', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: `${chunks.join('')}data: [DONE]\n\n` }),
      );
      await page.getByLabel('Message').fill('x');
      await page.keyboard.press('Enter');
      await page.locator('.turn table').waitFor();
      expect(await page.locator('.turn td').allInnerTexts()).toEqual(['a', '1']);
      expect(await page.locator('.turn code.math').allInnerTexts()).toEqual(['\\(a^2\\,b\\)', '\\[x\\]']);
      expect(await page.locator('.turn').last().innerText()).toContain('& ');
      expect(await page.locator('.turn li.task input').isChecked()).toBe(true);
      expect(await page.locator('figure.code').innerText()).toContain('js');
      expect(await page.locator('.turn summary').innerText()).toBe('Reasoning');
      await page.close();
    }, 30_000);

    test('a long answer does not freeze the page', async () => {
      const { page } = await open('/play');
      const chunk = (i: number) =>
        `data: ${JSON.stringify({ choices: [{ delta: { content: `word${i} ` } }] })}\n\n`;
      const body = Array.from({ length: 3000 }, (_, i) => chunk(i)).join('');
      await page.route('**/v1/chat/completions', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body }),
      );
      await page.getByLabel('Message').fill('x');
      const draws = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let count = 0;
            const section = document.querySelector('section') as HTMLElement;
            new MutationObserver(() => {
              count++;
              if (section.innerText.includes('word2999')) resolve(count);
            }).observe(section, { subtree: true, childList: true, characterData: true });
            (document.querySelector('button.main') as HTMLElement).click();
          }),
      );
      // One draw per frame at most: far fewer than one for each of 3,000 chunks.
      expect(draws).toBeLessThan(600);
      await page.close();
    }, 30_000);

    test('without the access key the balance page judges no key, and removing can be undone', async () => {
      const guarded = await start({ ACCESS_KEYS: 'access-key-0123456789' });
      const page = await browser.newPage({ locale: 'en-GB' });
      await page.goto(`${guarded.url}/balance`);
      const box = page.getByLabel('Keys, one per line');
      await box.fill('sk-good-key-0001\nsk-good-key-0002');
      await page.getByRole('button', { name: 'Check' }).click();
      await page.getByText('No key was checked.').waitFor();
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('access');
      expect(await box.inputValue()).toBe('sk-good-key-0001\nsk-good-key-0002');
      expect(await page.getByRole('row').count()).toBe(0);
      await page.route('**/v1/**', (route) =>
        route.fulfill({
          status: 401,
          json: { error: { message: 'Incorrect API key', code: 'invalid_api_key' } },
        }),
      );
      await page.getByRole('button', { name: 'Check' }).click();
      await expect.poll(() => page.getByRole('row').count()).toBe(3);
      await page.getByRole('button', { name: 'Remove dead keys' }).click();
      expect(await box.inputValue()).toBe('');
      await page.getByRole('button', { name: 'Undo' }).click();
      expect(await box.inputValue()).toBe('sk-good-key-0001\nsk-good-key-0002');
      await page.close();
      await guarded.stop();
    }, 30_000);

    test('the pages lie below the prefix, where there is one, and find the gateway there', async () => {
      const hidden = await start({ API_PREFIX: 'secret' });
      for (const path of ['/secret', '/secret/']) {
        const page = await browser.newPage({ locale: 'en-GB' });
        await page.goto(hidden.url + path);
        await page.getByRole('link', { name: 'Doctor' }).click();
        await page.getByRole('button', { name: 'Run checks' }).click();
        await page.getByText('Done:').waitFor({ timeout: 30_000 });
        expect(await page.locator('.findings').innerText()).toContain(`${hidden.url}/secret/v1 answers`);
        expect(await page.locator('.findings').innerText()).not.toContain('✗');
        await page.close();
      }
      expect(await fetch(hidden.url).then((answer) => answer.text())).not.toContain('secret');
      await hidden.stop();
    });

    test('the doctor finds a healthy gateway healthy', async () => {
      const { page, complaints } = await open('/doctor');
      await page.getByRole('button', { name: 'Run checks' }).click();
      await page.getByText('Done:').waitFor({ timeout: 30_000 });
      const found = await page.locator('.findings').innerText();
      for (const word of [
        'answers',
        'No key is needed',
        'models are listed',
        'Streams arrive',
        'Links to pictures',
        'any origin may call',
      ])
        expect(found).toContain(word);
      expect(found).not.toContain('✗');
      expect(await faults(page)).toEqual([]);
      await shot(page, 'doctor');
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
});
