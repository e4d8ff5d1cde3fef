import { describe, expect, test } from 'vitest';
import { Relay, type UpstreamRequest } from '../../relay/relay.ts';
import { ask } from './relay.ts';

const timeouts = { connect: 1, firstByte: 0.05, idle: 1, total: 0 };
const hop: UpstreamRequest = {
  upstream: 'u',
  id: 'u',
  origin: 'http://upstream.example',
  path: '/v1/x?a=1',
  headers: ['X-A', '1'],
  body: null,
  timeouts,
  whenCallerLeaves: 'cancel',
  slots: null,
};
const still = { signal: new AbortController().signal, stream: () => null };

/** A fetch that answers by path, and otherwise waits until it is told to stop. */
const fetcher =
  (answers: Record<string, () => Response>) =>
  (url: string, { signal }: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      const { pathname } = new URL(url);
      signal?.addEventListener('abort', () => reject(signal.reason));
      const answer = answers[pathname];
      if (answer) resolve(answer());
    });

describe('asking with fetch', () => {
  test('sends method, address, headers and bytes as the plan says', async () => {
    let seen: Request | null = null;
    const plan = new Relay('PUT', [{ ...hop, body: new TextEncoder().encode('bytes') }]);
    await ask(plan, still, async (url, init) => {
      seen = new Request(url, init);
      return new Response('ok');
    });
    const request = seen as unknown as Request;
    expect([request.method, request.url, request.headers.get('x-a'), await request.text()]).toEqual([
      'PUT',
      'http://upstream.example/v1/x?a=1',
      '1',
      'bytes',
    ]);
  });

  test('an upstream that does not answer in time is a 504', async () => {
    const plan = new Relay('GET', [hop]);
    await expect(ask(plan, still, fetcher({}))).rejects.toMatchObject({
      status: 504,
      message: expect.stringContaining('FIRST_BYTE_TIMEOUT'),
    });
  });

  test('one that cannot be reached is a 502 that does not tell its address', async () => {
    const plan = new Relay('GET', [hop]);
    const refused = ask(plan, still, () =>
      Promise.reject(new Error('connect ECONNREFUSED upstream.example')),
    );
    await expect(refused).rejects.toMatchObject({
      status: 502,
      message: expect.not.stringContaining('upstream.example'),
    });
  });

  test('the caller’s leaving stops it, before the first byte too', async () => {
    const caller = new AbortController();
    const asking = ask(
      new Relay('GET', [{ ...hop, timeouts: { ...timeouts, firstByte: 0 } }]),
      { signal: caller.signal, stream: () => null },
      fetcher({}),
    );
    caller.abort(new Error('left'));
    await expect(asking).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'left' }) });
  });

  test('redirects on the same host are followed a few times, others handed back', async () => {
    const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
    const plan = new Relay('GET', [hop]);
    expect(
      await (
        await ask(plan, still, fetcher({ '/v1/x': to('/v1/y'), '/v1/y': () => new Response('there') }))
      ).answer.text(),
    ).toBe('there');
    expect(
      (await ask(plan, still, fetcher({ '/v1/x': to('http://elsewhere.example/') }))).answer.status,
    ).toBe(302);
    expect((await ask(plan, still, fetcher({ '/v1/x': to('/v1/x') }))).answer.status).toBe(302);
  });
});
