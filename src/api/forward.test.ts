import { expect, test } from 'vitest';
import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import { parseJsonBody } from '../http/json-body.ts';
import { createModelRouter } from '../upstreams/model-router.ts';
import type { BackendUpstream } from '../upstreams/upstream.ts';
import { createForward } from './forward.ts';

const upstream = (name: string) =>
  ({ kind: 'backend-api', name, requiresKey: null, totalSeconds: null }) as unknown as BackendUpstream;
const router = createModelRouter([upstream('a'), upstream('b'), upstream('c')], {
  m: { upstreams: ['a', 'b', 'c'].map((name) => ({ upstream: name, model: 'gpt-4' })) },
});
const unused = () => {
  throw new Error('not used');
};

/** Sends a chat whose upstreams fail as given, in their order. */
async function chat(failures: readonly Failure[]) {
  const left = [...failures];
  const order: string[] = [];
  const forward = createForward(router, unused, 1000, {
    async chat(_, __, served) {
      order.push(served.upstream.name);
      const failure = left.shift();
      if (failure) throw failure;
      return new Response('fine');
    },
    images: unused,
    files: unused,
  });
  const call = {
    method: 'POST',
    path: '/v1/chat/completions',
    incoming: { signal: new AbortController().signal },
    record: { route: 'chat', upstream: null, model: null },
  } as unknown as Call;
  const body = parseJsonBody(new TextEncoder().encode('{"model":"m","messages":[]}'));
  const status = await Promise.resolve(forward.withBody(call, body)).then(
    () => 200,
    (error: Failure) => error.status,
  );
  return { status, order, record: call.record };
}

test('a conversation that fails is asked of the next upstream, and both are counted', async () => {
  const busy = new Failure('unavailable', 'busy');
  expect(await chat([])).toMatchObject({ status: 200, order: ['a'], record: { upstream: 'a' } });
  const moved = await chat([busy, new Failure('upstream_timeout', 'slow')]);
  expect(moved.order).toEqual(['a', 'b', 'c']);
  expect(moved.record).toMatchObject({ upstream: 'c', attempts: 3 });
  expect(await chat([busy, busy, busy])).toMatchObject({ status: 503, record: { attempts: 3 } });
});

test('an error of the request itself is not asked elsewhere', async () => {
  const wrong = await chat([new Failure('invalid_request', 'wrong')]);
  expect([wrong.status, wrong.order, wrong.record.attempts]).toEqual([400, ['a'], undefined]);
});
