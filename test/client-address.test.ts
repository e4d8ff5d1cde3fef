import { afterEach, expect, test } from 'vitest';
import { type Process, startProcess } from './process.ts';

const running: Process[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill();
});

/** The client's address in the log line of one request. */
async function loggedClient(env: Record<string, string>, forwardedFor: string): Promise<unknown> {
  const gateway = await startProcess({ LOG_LEVEL: 'info', ...env });
  running.push(gateway);
  await (await fetch(`${gateway.url}/v1/models`, { headers: { 'x-forwarded-for': forwardedFor } })).text();
  const line = () =>
    gateway
      .stderr()
      .split('\n')
      .find((each) => each.includes('"msg":"request"'));
  await expect.poll(line).toBeDefined();
  return (JSON.parse(line() ?? '{}') as { client?: unknown }).client;
}

test('X-Forwarded-For is believed from TRUSTED_PROXIES only', async () => {
  expect(await loggedClient({}, '203.0.113.7')).toBe('127.0.0.1');
  expect(await loggedClient({ TRUSTED_PROXIES: '127.0.0.1' }, '203.0.113.7')).toBe('203.0.113.7');
});

test('LOG_CLIENT_ADDRESS=false keeps addresses out of the log', async () => {
  expect(await loggedClient({ LOG_CLIENT_ADDRESS: 'false' }, '203.0.113.7')).toBeNull();
});
