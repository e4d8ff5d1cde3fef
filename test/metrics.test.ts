import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Process, startProcess } from './process.ts';
import { answer, type RawUpstream, startRawUpstream } from './raw-upstream.ts';

const key = 'metrics-key-0123456789';
let upstream: RawUpstream;
const open: Process[] = [];
beforeAll(async () => {
  upstream = await startRawUpstream({
    '/v1/chat/completions': (_, request) =>
      request.includes('fail') ? [answer(500, '{"error":{}}')] : [answer(200, '{"choices":[]}')],
  });
});
afterAll(() => {
  for (const each of open) each.child.kill('SIGKILL');
  upstream.stop();
});

async function gatewayWith(env: Record<string, string>): Promise<string> {
  const gateway = await startProcess({
    SLUICE_CONFIG: JSON.stringify({
      upstreams: { one: { kind: 'openai', url: `${upstream.url}/v1`, key: 'sk-canary-server' } },
      models: { m: { upstream: 'one' } },
    }),
    ...env,
  });
  open.push(gateway);
  return gateway.url;
}

const ask = (url: string, content = 'hello', model = 'm') =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', 'x-openai-key': 'sk-canary-caller' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }] }),
  }).then((response) => response.text());

async function scrape(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('version=0.0.4');
  const text = await response.text();
  expect(text).not.toContain('canary');
  expect(text).not.toContain(key);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test('requests, durations and errors are counted, by upstream and model', async () => {
  const url = await gatewayWith({ METRICS_KEY: key });
  for (let i = 0; i < 3; i++) await ask(url);
  await ask(url, 'fail');
  await ask(url, 'hello', 'sk-canary-as-model');
  await fetch(`${url}/nowhere`).then((response) => response.text());
  const counted = await scrape(url);
  const chat =
    'gen_ai_operation_name="chat",gen_ai_provider_name="one",gen_ai_request_model="m",error_type=""';
  expect(counted.get(`gen_ai_server_request_duration_seconds_count{${chat}}`)).toBe(3);
  expect(counted.get(`gen_ai_server_request_duration_seconds_bucket{le="81.92",${chat}}`)).toBe(3);
  expect(
    counted.get(
      'gen_ai_server_time_to_first_token_seconds_count{gen_ai_operation_name="chat",gen_ai_provider_name="one",gen_ai_request_model="m"}',
    ),
  ).toBe(3);
  const requests = [...counted].filter(([name]) => name.startsWith('sluice_requests_total'));
  expect(requests).toContainEqual([
    'sluice_requests_total{route="/v1/*",upstream="one",status="500",ended_by="done"}',
    1,
  ]);
  expect(requests).toContainEqual([
    'sluice_requests_total{route="none",upstream="",status="404",ended_by="done"}',
    1,
  ]);
  expect(counted.get('sluice_open_requests')).toBe(1);
  expect(counted.get('process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

test('only its own key reads them, and without one there is nothing to read', async () => {
  const url = await gatewayWith({ METRICS_KEY: key, ACCESS_KEYS: 'access-key-0123456789' });
  for (const headers of [{}, { authorization: 'Bearer access-key-0123456789' }, { 'x-api-key': `${key}x` }])
    expect((await fetch(`${url}/metrics`, { headers: headers as Record<string, string> })).status).toBe(401);
  expect((await fetch(`${url}/metrics`, { headers: { 'x-api-key': key } })).status).toBe(200);
  const without = await gatewayWith({});
  expect((await fetch(`${without}/metrics`, { headers: { authorization: `Bearer ${key}` } })).status).toBe(
    404,
  );
});

test('several processes are counted as one', async () => {
  const url = await gatewayWith({ METRICS_KEY: key, WORKERS: '3' });
  for (let i = 0; i < 30; i++) await ask(url);
  for (let i = 0; i < 3; i++) {
    const counted = await scrape(url);
    expect(
      counted.get('sluice_requests_total{route="/v1/*",upstream="one",status="200",ended_by="done"}'),
    ).toBe(30);
  }
}, 20_000);

test('counters do not fall when a process dies', async () => {
  const url = await gatewayWith({ METRICS_KEY: key, WORKERS: '3', LOG_LEVEL: 'error' });
  const parent = open.at(-1)?.child.pid ?? 0;
  const served = 'sluice_requests_total{route="/v1/*",upstream="one",status="200",ended_by="done"}';
  for (let i = 0; i < 30; i++) await ask(url);
  expect((await scrape(url)).get(served)).toBe(30);
  // More often than the counts of ended processes are kept apart.
  for (let round = 0; round < 6; round++) {
    const children = childrenOf(parent);
    process.kill(children[round % children.length] ?? 0, 'SIGKILL');
    await expect
      .poll(() => childrenOf(parent).filter((pid) => !children.includes(pid)).length, {
        timeout: 20_000,
      })
      .toBe(1);
    await expect
      .poll(
        () =>
          ask(url).then(
            () => true,
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    const counted = await scrape(url);
    expect(counted.get(served)).toBeGreaterThanOrEqual(31 + round);
    expect(counted.get('sluice_open_requests')).toBe(1);
  }
}, 120_000);

/** The ids of the processes that a process started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}
