import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startInWorkerd } from './gateways.ts';
import { startProcess } from './process.ts';

describe('a Worker with a key that nothing guards, as after the move from openai-workers-proxy', () => {
  let worker: Running;
  beforeAll(async () => {
    worker = await startInWorkerd({ OPENAI_API_KEY: 'sk-canary-0123456789' });
  }, 60_000);
  afterAll(() => worker.stop());

  test('says in each answer which setting to add, and none that a Worker does not have', async () => {
    const response = await fetch(`${worker.url}/v1/models`);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(response.status).toBe(503);
    expect(error.message).toMatch(/^sluice is misconfigured: .*Set ACCESS_KEYS or ALLOWED_ORIGINS/);
    expect(error.message).not.toMatch(/127\.0\.0\.1|canary/);
  });

  test('lets the preflight of a web page pass, so that the page can read it', async () => {
    const preflight = await fetch(worker.url, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    const response = await fetch(worker.url, { method: 'POST', headers: { origin: 'https://page.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });
});

test('a start names a misspelt setting, and goes on', async () => {
  const gateway = await startProcess({ ACCESS_KEY: 'canary', OPENAI_KEY: 'sk-canary' });
  expect(gateway.stderr()).toContain('sluice: ACCESS_KEY is set in the environment');
  expect(gateway.stderr()).toContain('Did you mean ACCESS_KEYS?');
  expect(gateway.stderr()).toContain('Did you mean OPENAI_API_KEY?');
  expect(gateway.stderr()).not.toContain('canary');
  gateway.child.kill();
  await gateway.exited;
});

test('a start refuses what is set by half, in one line', async () => {
  await expect(startProcess({ PROXY_API_PREFIX: 'abc' })).rejects.toThrow(
    'it ended with 1: sluice: PROXY_API_PREFIX is set, but BASE_URL is not.',
  );
});
