import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('an access key in place of the model is no label', async () => {
  const metrics = createMetrics(null, ['an-access-key-of-the-team']);
  metrics.record({
    id: 'req_1',
    method: 'POST',
    caller: null,
    client: null,
    route: '/v1/*',
    path: '/v1/chat/completions',
    model: 'an-access-key-of-the-team',
    upstream: 'openai',
    status: 200,
    bytes: 1,
    firstByteMs: 1,
    totalMs: 1,
    endedBy: 'done',
  });
  const { body } = await metrics.text();
  expect(body).toContain('gen_ai_request_model="[redacted]"');
  expect(body).not.toContain('an-access-key');
});
