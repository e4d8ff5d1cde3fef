import { describe, expect, test } from 'vitest';
import { Relay, type UpstreamRequest } from '../../relay/relay.ts';
import type { TransferEnd } from '../../relay/transfer.ts';
import { runRelay } from './relay.ts';

const timeouts = { connect: 1, firstByte: 0.05, idle: 1, total: 0 };
const request: UpstreamRequest = {
  upstream: 'u',
  id: 'u',
  origin: 'http://upstream.example',
  path: '/v1/x?a=1',
  headers: ['X-A', '1'],
  body: null,
  timeouts,
  whenCallerLeaves: 'cancel',
  slots: null,
  secret: null,
};
const open = { signal: new AbortController().signal, stream: () => null };

/** A fetch that answers by path, and otherwise waits for its abort. */
const fetcher =
  (responses: Record<string, () => Response>) =>
  (url: string, { signal }: RequestInit) =>
    new Promise<Response>((resolve, reject) => {
      const { pathname } = new URL(url);
      signal?.addEventListener('abort', () => reject(signal.reason));
      const response = responses[pathname];
      if (response) resolve(response());
    });

function run(
  plan: Relay,
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  source: Parameters<typeof runRelay>[1] = open,
) {
  const ends: TransferEnd[] = [];
  const options = { fetch, keepAlive: 0, maxRelayBytes: 0 };
  const running = runRelay(plan, source, { id: 'req_1', addedHeaders: [] }, options, (end) => ends.push(end));
  return { ...running, ends };
}

describe('a relay by fetch', () => {
  test('sends method, address, headers and bytes as the plan says', async () => {
    let seen: Request | null = null;
    const plan = new Relay('PUT', [{ ...request, body: new TextEncoder().encode('bytes') }]);
    const { response, finished, ends } = run(plan, async (url, init) => {
      seen = new Request(url, init);
      return new Response('ok');
    });
    expect(await (await response).text()).toBe('ok');
    await finished;
    const sent = seen as unknown as Request;
    expect([sent.method, sent.url, sent.headers.get('x-a'), await sent.text()]).toEqual([
      'PUT',
      'http://upstream.example/v1/x?a=1',
      '1',
      'bytes',
    ]);
    expect(ends).toMatchObject([{ status: 200, bytes: 2, endedBy: 'done' }]);
  });

  test('answers 504 if the upstream does not answer in time', async () => {
    const response = await run(new Relay('GET', [request]), fetcher({})).response;
    expect(response.status).toBe(504);
    expect(await response.text()).toContain('FIRST_BYTE_TIMEOUT');
  });

  test('answers 502, without the address, if the upstream cannot be reached', async () => {
    const refused = () => Promise.reject(new Error('connect ECONNREFUSED upstream.example'));
    const response = await run(new Relay('GET', [request]), refused).response;
    expect(response.status).toBe(502);
    expect(await response.text()).not.toContain('upstream.example');
  });

  test('ends when the caller leaves before the first byte', async () => {
    const caller = new AbortController();
    const plan = new Relay('GET', [{ ...request, timeouts: { ...timeouts, firstByte: 0 } }]);
    const { finished, ends } = run(plan, fetcher({}), { signal: caller.signal, stream: () => null });
    caller.abort(new Error('left'));
    await finished;
    expect(ends).toMatchObject([{ status: 499, endedBy: 'client' }]);
  });

  test('follows redirects on the same host a few times, and hands others to the caller', async () => {
    const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
    const plan = new Relay('GET', [request]);
    const there = fetcher({ '/v1/x': to('/v1/y'), '/v1/y': () => new Response('there') });
    expect(await (await run(plan, there).response).text()).toBe('there');
    const elsewhere = fetcher({ '/v1/x': to('http://elsewhere.example/') });
    expect((await run(plan, elsewhere).response).status).toBe(302);
    const loop = fetcher({ '/v1/x': to('/v1/x') });
    expect((await run(plan, loop).response).status).toBe(302);
  });

  test('lets the runtime carry the rest of a stream, and still ends it with an error line', async () => {
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++sent === 6) controller.error(new Error('gone'));
        else controller.enqueue(new TextEncoder().encode(`data: ${sent}\n\n`));
      },
    });
    const upstream = new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    const ends: TransferEnd[] = [];
    const options = { fetch: async () => upstream, keepAlive: 0, maxRelayBytes: 0, watchedChunks: 2 };
    const { response } = runRelay(
      new Relay('GET', [request]),
      open,
      { id: 'r', addedHeaders: [] },
      options,
      (end) => ends.push(end),
    );
    const reader = (await response).body?.getReader();
    let text = '';
    const read = async (): Promise<void> => {
      for (;;) {
        const piece = await reader?.read();
        if (!piece || piece.done) return;
        text += new TextDecoder().decode(piece.value);
      }
    };
    await expect(read()).rejects.toThrow('incomplete');
    expect(text).toMatch(/^data: 1\n\n.*data: 5\n\n\n\ndata: \{"error":.*\}\n\n$/s);
    expect(ends).toMatchObject([{ bytes: null, endedBy: 'upstream' }]);
  });
});
