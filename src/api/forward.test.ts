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

test('a picture of a form keeps the name of its field, so that a mask is known as one', async () => {
  const form = new FormData();
  form.set('prompt', 'A cat.');
  form.set('mask', new Blob(['m'], { type: 'image/png' }), 'm.png');
  form.set('image', new Blob(['i'], { type: 'image/png' }), 'i.png');
  const encoded = new Response(form);
  const type = encoded.headers.get('content-type') ?? '';
  const bytes = new Uint8Array(await encoded.arrayBuffer());
  let fields: unknown;
  const { forward } = createForward(createModelRouter([upstream('a')], {}), unused, 1000, {
    chat: unused,
    async images(_, __, pictures) {
      fields = pictures.map(({ field, filename }) => [field, filename]);
      return new Response('fine');
    },
    files: unused,
  });
  await forward({
    method: 'POST',
    path: '/v1/images/edits',
    credentials: { accessKey: null, ownKey: 'k', openaiKey: null },
    incoming: { head: { get: (name: string) => (name === 'content-type' ? type : undefined) } },
    readBody: async () => bytes,
    record: { route: 'images', upstream: null, model: null },
  } as unknown as Call);
  expect(fields).toEqual([
    ['mask', 'm.png'],
    ['image', 'i.png'],
  ]);
});
