import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { serve, start } from '../../worker.ts';
import type { KvNamespace } from './kv-cache.ts';
import type { R2Bucket } from './r2-blobs.ts';

const never = new Promise<never>(() => {});
const fail = async (): Promise<never> => {
  throw new Error('10001: internal error');
};

function call(path: string, bindings: Record<string, unknown>, init: RequestInit = {}): Promise<Response> {
  return serve(
    new Request(`https://gate.example${path}`, init),
    start({ ...env, LOG_LEVEL: 'error', ...bindings }),
  );
}

const draw = (bindings: Record<string, unknown>): Promise<Response> =>
  call('/v1/chat/completions', bindings, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4-mobile', messages: [{ role: 'user', content: '/draw 2' }] }),
  });

/** A KV that counts its calls. */
function counting(calls: string[], answers: Partial<KvNamespace> = {}): KvNamespace {
  const kv = env.CACHE as KvNamespace;
  return {
    get: (key) => {
      calls.push(`get ${key.split(':')[0]}`);
      return answers.get ? answers.get(key) : kv.get(key);
    },
    put: (key, value, options) => {
      calls.push(`put ${key.split(':')[0]}`);
      return answers.put ? answers.put(key, value, options) : kv.put(key, value, options);
    },
    delete: (key) => kv.delete(key),
  };
}

describe('KV', () => {
  test('that never answers does not stop a response, and is called once', async () => {
    const calls: string[] = [];
    const response = await draw({ CACHE: counting(calls, { get: () => never, put: () => never }) });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('/images/');
    // Calls that began together fail together. After that KV is not called.
    expect(calls.filter((name) => name.startsWith('get')).length).toBeLessThanOrEqual(3);
  });

  test('that fails is a miss', async () => {
    const response = await draw({ CACHE: { get: fail, put: fail, delete: fail } });
    expect(await response.text()).toContain('/images/');
  });

  test('is not written for a model list', async () => {
    const calls: string[] = [];
    const served = start({ ...env, LOG_LEVEL: 'error', CACHE: counting(calls) });
    for (let i = 0; i < 3; i++) {
      const request = new Request('https://gate.example/v1/models', {
        headers: { authorization: 'Bearer k' },
      });
      expect((await serve(request, served)).status).toBe(200);
    }
    expect(calls.filter((name) => name.startsWith('put'))).toEqual([]);
  });
});

describe('R2', () => {
  const path = `/images/${'0'.repeat(32)}.png`;

  test('that fails to read is a 503 with Retry-After', async () => {
    const broken = { ...(env.BLOBS as R2Bucket), get: fail, head: fail };
    for (const init of [{}, { method: 'HEAD' }, { headers: { range: 'bytes=0-1' } }]) {
      const response = await call(path, { BLOBS: broken }, init);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
    }
  });

  test('that fails to write does not end the answer', async () => {
    const broken = { put: fail, head: fail, get: fail, delete: fail, list: fail };
    const response = await draw({ BLOBS: broken });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('Here you are.');
  });
});
