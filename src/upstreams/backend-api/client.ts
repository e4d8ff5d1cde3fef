import type { UpstreamKey } from '../../access/credentials.ts';
import { Failure } from '../../http/failure.ts';
import { redactWords } from '../../observe/redact.ts';
import type { Ports } from '../../ports/ports.ts';
import { readAll } from '../../streams/read-all.ts';
import { failureOf } from './refusals.ts';

/** Whom to ask, and as whom. */
export type ClientOptions = {
  /** Scheme, host and prefix, without a slash at the end. */
  readonly base: string;
  readonly key: UpstreamKey;
  /** The team's account, where the caller named one. */
  readonly account: string | null;
  readonly firstByteSeconds: number;
};

/** Where a file can be had for a while, and what it is called. */
export type Located = { readonly url: string; readonly name: string | null };

const maxAnswer = 16 * 1024 * 1024;

/** The upstream's HTTP calls, one function each. A refusal is thrown as the failure it is to the caller. */
export function createClient({ base, key, account, firstByteSeconds }: ClientOptions, ports: Ports) {
  /** Removes the key from words of the upstream: some upstreams repeat the key that they refuse. */
  const redact = (words: string): string => (key.key === null ? words : redactWords(words, [key.key]));

  const call = (
    method: string,
    path: string,
    body: unknown,
    signal: AbortSignal | null,
    accept = 'application/json',
  ): Promise<Response> => {
    const headers = new Headers({ accept, authorization: `Bearer ${key.key ?? ''}` });
    if (account !== null) headers.set('chatgpt-account-id', account);
    if (body === undefined) return send(`${base}/backend-api${path}`, { method, headers }, signal);
    headers.set('content-type', 'application/json');
    return send(`${base}/backend-api${path}`, { method, headers, body: JSON.stringify(body) }, signal);
  };

  /** Asks, and waits for the answer's head no longer than is allowed. */
  const send = async (url: string, init: RequestInit, signal: AbortSignal | null): Promise<Response> => {
    const timeout = new AbortController();
    const timer =
      firstByteSeconds > 0 ? setTimeout(() => timeout.abort(), firstByteSeconds * 1000) : undefined;
    const either = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    try {
      return await ports.http.fetch(url, { ...init, redirect: 'manual', signal: either });
    } catch (error) {
      if (timeout.signal.aborted)
        throw new Failure(
          'upstream_timeout',
          `The upstream gave no answer within ${firstByteSeconds} seconds (FIRST_BYTE_TIMEOUT).`,
          { cause: error },
        );
      throw new Failure(
        'upstream_error',
        'The upstream could not be reached. Check BASE_URL at the gateway.',
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
    }
  };

  const refused = async (answer: Response): Promise<Failure> => {
    const body = await readAll(answer.body, 64 * 1024, () => new Error('too long')).catch(
      () => new Uint8Array(),
    );
    return failureOf(
      {
        status: answer.status,
        type: answer.headers.get('content-type') ?? '',
        body: redact(new TextDecoder().decode(body)),
        retryAfter: answer.headers.get('retry-after'),
      },
      key.own,
    );
  };

  const getJson = async (
    path: string,
    signal: AbortSignal | null = null,
  ): Promise<Record<string, unknown>> => {
    const answer = await call('GET', path, undefined, signal);
    if (!answer.ok) throw await refused(answer);
    return readObject(answer);
  };

  const postJson = async (
    path: string,
    body: unknown,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> => {
    const answer = await call('POST', path, body, signal);
    if (!answer.ok) throw await refused(answer);
    return readObject(answer);
  };

  /** The short-lived address of a file, in any of the shapes it comes in. */
  const locate = async (path: string): Promise<Located> => {
    const { download_url: url, file_name: name, error_message: message } = await getJson(path);
    if (typeof url === 'string' && /^https?:\/\//.test(url))
      return { url, name: typeof name === 'string' ? name : null };
    throw new Failure(
      'upstream_error',
      typeof message === 'string' ? redact(message) : 'the upstream gave no address for it',
    );
  };

  return {
    /** Asks for an answer; gives the response once it is clear that it is a stream, or the way to one. */
    async conversation(payload: unknown, signal: AbortSignal): Promise<Response> {
      const answer = await call('POST', '/conversation', payload, signal, 'text/event-stream');
      if (answer.ok) return answer;
      throw await refused(answer);
    },
    refused,
    redact,
    async stop(conversationId: string): Promise<void> {
      await (
        await call('POST', '/stop_conversation', { conversation_id: conversationId }, null)
      ).body?.cancel();
    },
    async hide(conversationId: string): Promise<void> {
      const answer = await call(
        'PATCH',
        `/conversation/${encodeURIComponent(conversationId)}`,
        { is_visible: false },
        null,
      );
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
    },
    locateFile: (id: string, conversationId: string | null, pointer: string) =>
      pointer.startsWith('sediment://') && conversationId !== null
        ? locate(
            `/conversation/${encodeURIComponent(conversationId)}/attachment/${encodeURIComponent(id)}/download`,
          )
        : locate(`/files/${encodeURIComponent(id)}/download`),
    locateSandbox: (conversationId: string, messageId: string, path: string) =>
      locate(
        `/conversation/${encodeURIComponent(conversationId)}/interpreter/download?message_id=${encodeURIComponent(messageId)}&sandbox_path=${encodeURIComponent(path)}`,
      ),
    stored: (conversationId: string, signal: AbortSignal) =>
      getJson(`/conversation/${encodeURIComponent(conversationId)}`, signal),
    /** The file at an address of the upstream itself, asked for with the key; null where the address is another's, or it refuses. */
    async openOwn(url: string): Promise<Response | null> {
      if (URL.parse(url)?.origin !== new URL(base).origin) return null;
      const answer = await send(url, { headers: { authorization: `Bearer ${key.key ?? ''}` } }, null);
      if (answer.ok) return answer;
      await answer.body?.cancel();
      return null;
    },
    /** The first step of an upload: says what is to come, and is told where to put it. */
    async announceFile(
      file: Readonly<Record<string, unknown>>,
      signal: AbortSignal,
    ): Promise<{ id: string; uploadUrl: string }> {
      const { file_id: id, upload_url: uploadUrl } = await postJson('/files', file, signal);
      if (typeof id === 'string' && typeof uploadUrl === 'string') return { id, uploadUrl };
      throw new Failure('upstream_error', 'The upstream gave no address to upload to.');
    },
    /** The last step: says that the bytes are there. */
    async confirmFile(id: string, signal: AbortSignal): Promise<void> {
      const { status } = await postJson(`/files/${encodeURIComponent(id)}/uploaded`, {}, signal);
      if (status !== 'success') throw new Failure('upstream_error', 'The upstream did not take an upload.');
    },
    fileInfo: (id: string, signal: AbortSignal) => getJson(`/files/${encodeURIComponent(id)}`, signal),
    models: () => getJson('/models?history_and_training_disabled=false'),
    gizmo: (id: string) => getJson(`/gizmos/${encodeURIComponent(id)}`),
    async socketUrl(signal: AbortSignal): Promise<string> {
      const answer = await call('POST', '/register-websocket', undefined, signal);
      if (!answer.ok) throw await refused(answer);
      return textField(await readObject(answer), 'wss_url');
    },
    topicSocketUrl: async (signal: AbortSignal) =>
      textField(await getJson('/celsius/ws/user', signal), 'websocket_url'),
  };
}

export type Client = ReturnType<typeof createClient>;

async function readObject(answer: Response): Promise<Record<string, unknown>> {
  const bytes = await readAll(
    answer.body,
    maxAnswer,
    () => new Failure('upstream_error', 'The upstream gave too long an answer.'),
  );
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, with everything else that is no object.
  }
  throw new Failure('upstream_error', 'The upstream gave an answer that is not JSON.');
}

function textField(value: Record<string, unknown>, name: string): string {
  const field = value[name];
  if (typeof field === 'string' && /^wss?:\/\//.test(field)) return field;
  throw new Failure('upstream_error', 'The upstream named no socket to listen on.');
}
