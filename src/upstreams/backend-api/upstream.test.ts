import { expect, test } from 'vitest';
import type { Call } from '../../call.ts';
import type { Ports } from '../../ports/ports.ts';
import { createUpstreamHealth } from '../../relay/health.ts';
import { createBackendUpstream } from './upstream.ts';

const whole = `data: ${JSON.stringify({
  message: {
    id: 'm1',
    author: { role: 'assistant' },
    content: { content_type: 'text', parts: ['Hello'] },
    status: 'finished_successfully',
    end_turn: true,
    metadata: {},
    recipient: 'all',
  },
  conversation_id: 'c1',
})}\n\ndata: [DONE]\n\n`;
const good = () => new Response(whole, { headers: { 'content-type': 'text/event-stream' } });
const busy = () => new Response('{"detail":"busy"}', { status: 503 });
const lost = (): Response => {
  throw new TypeError('fetch failed');
};

/** An upstream with two keys, whose requests for an answer get these replies in turn. */
function upstreamWith(replies: (() => Response)[]) {
  const deferred: Promise<unknown>[] = [];
  const isNew: boolean[] = [];
  const ports = {
    createHash: () => ({ update: async () => {}, hex: async () => 'ab'.repeat(32) }),
    http: {
      async fetch(_: string, __: RequestInit, newConnection = false) {
        isNew.push(newConnection);
        return (replies.shift() ?? good)();
      },
    },
    tasks: { now: () => 0, defer: (work: Promise<unknown>) => deferred.push(work) },
    cache: { get: async () => undefined, set: async () => {} },
    log: () => {},
  } as unknown as Ports;
  const upstream = createBackendUpstream(
    {
      name: 'web',
      bases: ['http://upstream.example'],
      keys: ['k1', 'k2'],
      timeouts: { connect: 1, firstByte: 1, idle: 1, total: 0 },
      totalSeconds: null,
      whenCallerLeaves: 'cancel',
      slots: null,
      continueRounds: 0,
      historyDisabled: false,
      sendHints: true,
      hideConversations: false,
      alwaysAllowActions: false,
      upstreamLinks: true,
      maxStoredBytes: 1,
      maxFileBytes: 1,
      fileFetchAllow: [],
      modelsCacheSeconds: 60,
      backgroundTimeout: 120,
    },
    ports,
    null,
    createUpstreamHealth(['web'], () => 0),
  );
  const caller = new AbortController();
  const call = {
    credentials: { accessKey: null, ownKey: null, openaiKey: null },
    incoming: { head: new Map(), signal: caller.signal },
    record: { route: 'chat', upstream: null, model: null },
    whenOver: () => {},
  } as unknown as Call;
  const request = { messages: [{ role: 'user', content: 'x' }] };
  const chat = () => upstream.chat(call, request, { slug: 'gpt-4', gizmo: null }, caller.signal);
  return { chat, call, isNew, caller };
}

const kinds = async (batches: AsyncIterable<readonly { kind: string }[]>) => {
  const out: string[] = [];
  for await (const batch of batches) out.push(...batch.map(({ kind }) => kind));
  return out;
};

test('each further key and each repeated request counts as an attempt', async () => {
  const once = upstreamWith([]);
  await once.chat();
  expect(once.call.record.attempts).toBeUndefined();
  const moved = upstreamWith([busy]);
  expect(await kinds((await moved.chat()).batches)).toEqual(['text', 'finish']);
  expect(moved.call.record.attempts).toBe(2);
  const repeated = upstreamWith([lost, busy]);
  await repeated.chat();
  expect(repeated.call.record.attempts).toBe(3);
  expect(repeated.isNew).toEqual([false, true, false]);
});

test('a turn whose caller left before it was read is ended', async () => {
  let cancelled = false;
  const endless = () =>
    new Response(
      new ReadableStream({
        pull: () => new Promise(() => {}),
        cancel() {
          cancelled = true;
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    );
  const { chat, caller } = upstreamWith([endless]);
  const { batches } = await chat();
  caller.abort();
  await expect.poll(() => cancelled).toBe(true);
  expect(await kinds(batches)).toEqual([]);
});
