import type { Asked } from '../emulator.ts';
import { eventStream } from '../openai/stream.ts';
import { picture } from '../png.ts';
import { encode, resumeToken, type TurnHead } from './encode.ts';
import { confirmed, continued, type Script, scriptFor } from './script.ts';
import { storedConversation } from './stored.ts';
import { createUploads } from './uploads.ts';

/** Where the web app's face lives below the emulator's address. */
export const backendPrefix = 'emulator-web';

type Conversation = {
  hidden: boolean;
  asked: number;
  readonly script: Script;
  /** Each head gives the ids of the messages from the first. */
  readonly newHead: () => TurnHead;
};

/** An emulator left running must not grow. */
const maxConversations = 500;

type Payload = {
  action?: unknown;
  messages?: { author?: { role?: unknown }; content?: { parts?: unknown[] } }[];
  conversation_id?: unknown;
  parent_message_id?: unknown;
  model?: unknown;
};

/**
 * The face of the ChatGPT web app's backend-api: conversations by script, in either encoding, with
 * their files, their pictures, and their ways to fail. Words in front choose the turn: `/code`,
 * `/browse`, `/draw 2`, `/error 429` …
 */
export function createBackend() {
  const conversations = new Map<string, Conversation>();

  const answer = (payload: Payload, script: Script, asked: Asked): Response => {
    const conversationId =
      typeof payload.conversation_id === 'string' ? payload.conversation_id : uuid(asked.id, 0);
    const known = conversations.get(conversationId);
    const newHead = (): TurnHead => {
      let count = 0;
      return {
        conversationId,
        model: String(payload.model ?? 'gpt-4'),
        sent: (payload.messages ?? []).filter((message) => typeof message === 'object' && message !== null),
        newId: () => uuid(asked.id, ++count),
      };
    };
    conversations.set(conversationId, known ?? { hidden: false, asked: 0, script, newHead });
    for (const oldest of conversations.keys()) {
      if (conversations.size <= maxConversations) break;
      conversations.delete(oldest);
    }
    return eventStream(encode(script, newHead()), asked.pace);
  };

  /** The stream of a conversation once more, from the event that is asked for. */
  const resume = async (asked: Asked): Promise<Response> => {
    const { conversation_id: id, offset } = (await asked.request.json()) as Record<string, unknown>;
    const known = typeof id === 'string' ? conversations.get(id) : undefined;
    const kept = known?.script.kept;
    const token = asked.request.headers.get('x-conduit-token');
    if (!known || kept?.by !== 'request' || token !== resumeToken(String(id)))
      return detail(404, { message: 'Nothing to resume', code: 'conversation_not_found' });
    const lines = [...encode({ ...known.script, ends: 'done', lines: kept.lines }, known.newHead())];
    return eventStream(lines.slice(Number(offset)), asked.pace);
  };

  const converse = async (asked: Asked): Promise<Response> => {
    if (!asked.request.headers.get('authorization'))
      return detail(401, { message: 'No token.', code: 'invalid_jwt' });
    const payload = (await asked.request.json().catch(() => null)) as Payload | null;
    if (!payload || typeof payload.model !== 'string') {
      return detail(422, [
        {
          loc: ['body', 'model'],
          msg: 'field required',
          type: 'value_error.missing',
          ctx: { doc: 'secret' },
        },
      ]);
    }
    if (payload.action === 'continue') return answer(payload, continued, asked);
    const last = payload.messages?.at(-1);
    if (last?.author?.role === 'tool') return answer(payload, confirmed, asked);
    const parts = last?.content?.parts ?? [];
    const text = String(parts.at(-1) ?? '');
    const pictures = parts.filter((part) => typeof part === 'object' && part !== null).length;
    return refusalFor(text) ?? answer(payload, scriptFor(text, pictures), asked);
  };

  const stored = ({ url }: Asked): Response => {
    const conversation = conversations.get(url.pathname.split('/').at(-1) ?? '');
    if (!conversation)
      return detail(404, { message: 'Conversation not found', code: 'conversation_not_found' });
    const { script, newHead } = conversation;
    const { kept } = script;
    if (script.ends === 'cut' && kept?.by !== 'store') return detail(404, 'The answer was lost.');
    const isReady = script.ends !== 'background' || ++conversation.asked > 1;
    return Response.json({
      is_visible: !conversation.hidden,
      ...(isReady && kept ? storedConversation(kept.lines, newHead()) : { mapping: {} }),
    });
  };

  return {
    endpoints: [
      ...createUploads(),
      ['POST', /\/backend-api\/conversation$/, converse],
      ['POST', /\/backend-api\/f\/conversation\/resume$/, resume],
      ['POST', /\/backend-api\/stop_conversation$/, () => Response.json({ status: 'ok' })],
      [
        'PATCH',
        /\/backend-api\/conversation\/[\w-]+$/,
        ({ url }: Asked) => {
          const conversation = conversations.get(url.pathname.split('/').at(-1) ?? '');
          if (conversation) conversation.hidden = true;
          return conversation
            ? Response.json({ success: true })
            : detail(404, { code: 'conversation_not_found', message: 'Conversation not found' });
        },
      ],
      ['GET', /\/backend-api\/conversation\/[\w-]+$/, stored],
      [
        'GET',
        /\/backend-api\/(files\/[\w.-]+|conversation\/[\w-]+\/attachment\/[\w.-]+)\/download$/,
        ({ url }: Asked) => download(url, `${url.pathname.split('/').at(-2)}.png`),
      ],
      [
        'GET',
        /\/backend-api\/conversation\/[\w-]+\/interpreter\/download$/,
        ({ url }: Asked) => {
          const path = url.searchParams.get('sandbox_path') ?? '';
          return path.startsWith('/mnt/data/')
            ? download(url, path.slice('/mnt/data/'.length))
            : detail(404, 'File not found');
        },
      ],
      [
        'GET',
        /\/backend-api\/models$/,
        () =>
          Response.json({
            models: ['gpt-4', 'gpt-5-3', 'gpt-5-3-thinking'].map((slug) => ({
              ...{ slug, max_tokens: 8191, title: slug, description: '', tags: [] },
            })),
          }),
      ],
      [
        'GET',
        /\/backend-api\/gizmos\/g-[\w-]+$/,
        ({ url }: Asked) => {
          const id = url.pathname.split('/').at(-1);
          return Response.json({
            gizmo: { id, display: { name: `GPT ${id}`, description: 'An emulated GPT' }, tags: [] },
            tools: [],
            files: [],
          });
        },
      ],
      [
        'GET',
        /^(\/v1)?\/emulator\/files\/[^/]+$/,
        ({ url }: Asked) => served(decodeURIComponent(url.pathname.split('/').at(-1) ?? '')),
      ],
    ] as const,
  };
}

function refusalFor(said: string): Response | null {
  const status = Number(/^\/?error (\d{3})$/.exec(said)?.[1]);
  if (status === 403)
    return new Response('<html><body>Checking your browser</body></html>', {
      status,
      headers: { 'content-type': 'text/html' },
    });
  if (status === 429)
    return detail(429, {
      message: 'You have sent too many messages to the model.',
      code: 'model_cap_exceeded',
      clears_in: 130,
    });
  if (status === 413)
    return detail(413, {
      message: 'The message you submitted was too long.',
      code: 'message_length_exceeds_limit',
    });
  if (status === 200) return Response.json({ detail: 'Not a stream.' });
  return status ? detail(status, `The emulator was asked for a ${status}.`) : null;
}

function detail(status: number, value: unknown): Response {
  return Response.json({ detail: value }, { status });
}

function download(url: URL, name: string): Response {
  return Response.json({
    status: 'success',
    download_url: `${url.origin}/emulator/files/${encodeURIComponent(name)}`,
    file_name: name,
  });
}

function served(name: string): Response {
  if (name.endsWith('.png')) return new Response(picture(name), { headers: { 'content-type': 'image/png' } });
  return new Response('a,b\n1,2\n', { headers: { 'content-type': 'text/csv' } });
}

function uuid(id: string, count: number): string {
  return `${id.slice(0, 8).padStart(8, '0')}-${id.slice(8, 12).padStart(4, '0')}-4000-8000-${count.toString(16).padStart(12, '0')}`;
}
