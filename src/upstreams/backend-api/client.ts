import type { UpstreamKey } from '../../access/credentials.ts';
import { Failure } from '../../http/failure.ts';
import { redactWords } from '../../observe/redact.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Timeouts } from '../../relay/relay.ts';
import { readBody } from '../../streams/read-body.ts';
import { failureOf } from './refusals.ts';
import { type SendOptions, sendRequest } from './send.ts';

/** Which upstream is called, with which key. */
export type ClientOptions = {
  /** Scheme, host and prefix, without a slash at the end. */
  readonly base: string;
  readonly key: UpstreamKey;
  /** The team's account, if the caller named one. */
  readonly account: string | null;
  readonly timeouts: Timeouts;
  /** Called when the request for an answer is sent a second time. */
  readonly onRetry?: () => void;
};

/** The short-lived address of a file, and the file's name. */
export type Located = { readonly url: string; readonly name: string | null };

type JsonObject = Record<string, unknown>;

/** Limits of a JSON response. A stored conversation may have some MB. */
const maxJsonBytes = 16 * 1024 * 1024;
const jsonSeconds = 60;
/**
 * Limits of an error's body. Its status says the most; a slow body must not delay the next
 * upstream.
 */
const maxRefusalBytes = 64 * 1024;
const refusalSeconds = 5;
/**
 * Limit of `stop` and `hide`, in seconds. No caller waits for them, but the end of the process
 * does.
 */
const tidySeconds = 4;

/**
 * The upstream's HTTP calls, one function each. A refusal is thrown as the failure that the caller
 * gets.
 */
export function createClient({ base, key, account, timeouts, onRetry }: ClientOptions, ports: Ports) {
  const authorization = `Bearer ${key.key ?? ''}`;
  const tidyTimeouts = { ...timeouts, firstByte: Math.min(timeouts.firstByte || tidySeconds, tidySeconds) };

  /** Removes the key from words of the upstream: some upstreams repeat the key that they refuse. */
  const redact = (words: string): string => (key.key === null ? words : redactWords(words, [key.key]));

  const request = (
    method: string,
    path: string,
    body: unknown,
    options: SendOptions,
    accept = 'application/json',
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> => {
    const headers = new Headers({ accept, authorization, ...more });
    if (account !== null) headers.set('chatgpt-account-id', account);
    if (body !== undefined) headers.set('content-type', 'application/json');
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return sendRequest(ports.http, `${base}/backend-api${path}`, init, options);
  };

  /** The failure that a response means. `body` is what was read of it already. */
  const refusalOf = async (response: Response, body?: Uint8Array): Promise<Failure> => {
    const limits = { maxBytes: maxRefusalBytes, idleSeconds: 0, totalSeconds: refusalSeconds };
    const bytes =
      body ??
      (await readBody(response.body, limits, () => new Error('too long')).catch(() => new Uint8Array()));
    return failureOf(
      {
        status: response.status,
        type: response.headers.get('content-type') ?? '',
        body: redact(new TextDecoder().decode(bytes)),
        retryAfter: response.headers.get('retry-after'),
      },
      key.own,
    );
  };

  const readJsonBytes = (response: Response): Promise<Uint8Array> => {
    const limits = { maxBytes: maxJsonBytes, idleSeconds: timeouts.idle, totalSeconds: jsonSeconds };
    return readBody(response.body, limits, (limit) =>
      limit === 'size'
        ? new Failure('upstream_error', 'The upstream gave too long an answer.')
        : new Failure(
            'upstream_timeout',
            limit === 'silence'
              ? `The upstream fell silent for ${timeouts.idle} seconds in the middle of its answer (IDLE_TIMEOUT).`
              : `The upstream did not finish its answer within ${jsonSeconds} seconds.`,
          ),
    ).catch((error: unknown) => {
      throw error instanceof Failure
        ? error
        : new Failure('upstream_error', 'The upstream broke off in the middle of its answer.', {
            cause: error,
          });
    });
  };

  const readObject = async (response: Response): Promise<JsonObject> => {
    if (!response.ok) throw await refusalOf(response);
    const value = parseObject(await readJsonBytes(response));
    if (value) return value;
    throw new Failure('upstream_error', 'The upstream gave an answer that is not JSON.');
  };

  const getJson = async (path: string, signal: AbortSignal | null = null): Promise<JsonObject> =>
    readObject(await request('GET', path, undefined, { timeouts, signal }));

  const postJson = async (path: string, body: unknown, signal: AbortSignal): Promise<JsonObject> =>
    readObject(await request('POST', path, body, { timeouts, signal }));

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
    /**
     * Asks for an answer. Resolves once the upstream agreed to give one: with the response if it is
     * a stream, or with a JSON object that names the way to one.
     */
    async conversation(payload: unknown, signal: AbortSignal): Promise<ConversationResponse> {
      const options = { timeouts, signal, onRetry };
      const response = await request('POST', '/conversation', payload, options, 'text/event-stream');
      if (!response.ok) throw await refusalOf(response);
      const type = response.headers.get('content-type') ?? '';
      if (response.body && (type.includes('text/event-stream') || !type.includes('json')))
        return { kind: 'stream', body: response.body };
      const bytes = await readJsonBytes(response);
      const fields = parseObject(bytes) ?? {};
      if (typeof fields.wss_url === 'string' || typeof fields.websocket_request_id === 'string')
        return { kind: 'socket', fields };
      throw await refusalOf(response, bytes.subarray(0, maxRefusalBytes));
    },
    redact,
    /**
     * Asks for the stream of an answer once more, from its first event. `token` is the stream's
     * own.
     */
    async resume(
      conversationId: string,
      token: string,
      signal: AbortSignal,
    ): Promise<ReadableStream<Uint8Array>> {
      if (!/^[\x21-\x7e]{1,8192}$/.test(token))
        throw new Failure('upstream_error', 'The token of the stream cannot be sent.');
      const body = { conversation_id: conversationId, offset: 0 };
      const more = { 'x-conduit-token': token };
      const options = { timeouts, signal };
      const path = '/f/conversation/resume';
      const response = await request('POST', path, body, options, 'text/event-stream', more);
      if (!response.ok) throw await refusalOf(response);
      if (response.body && response.headers.get('content-type')?.includes('text/event-stream'))
        return response.body;
      discard(response);
      throw new Failure('upstream_error', 'The upstream gave no stream to resume.');
    },
    async stop(conversationId: string): Promise<void> {
      const options = { timeouts: tidyTimeouts, signal: null };
      const body = { conversation_id: conversationId };
      discard(await request('POST', '/stop_conversation', body, options));
    },
    async hide(conversationId: string): Promise<void> {
      const path = `/conversation/${encodeURIComponent(conversationId)}`;
      const options = { timeouts: tidyTimeouts, signal: null };
      const response = await request('PATCH', path, { is_visible: false }, options);
      discard(response);
      if (!response.ok) throw new Error(`status ${response.status}`);
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
    /**
     * Fetches a file at the upstream's own origin, with the key. Null for another origin or a
     * refusal.
     */
    async openOwn(url: string): Promise<Response | null> {
      if (URL.parse(url)?.origin !== new URL(base).origin) return null;
      const options = { timeouts, signal: null };
      const response = await sendRequest(ports.http, url, { headers: { authorization } }, options);
      if (response.ok) return response;
      discard(response);
      return null;
    },
    /** The first step of an upload: describes the file, and gets the address to put it at. */
    async announceFile(
      file: Readonly<JsonObject>,
      signal: AbortSignal,
    ): Promise<{ id: string; uploadUrl: string }> {
      const { file_id: id, upload_url: uploadUrl } = await postJson('/files', file, signal);
      if (typeof id === 'string' && typeof uploadUrl === 'string') return { id, uploadUrl };
      throw new Failure('upstream_error', 'The upstream gave no address to upload to.');
    },
    /** The last step: says that the bytes are there. */
    async confirmFile(id: string, signal: AbortSignal): Promise<void> {
      const { status } = await postJson(`/files/${encodeURIComponent(id)}/uploaded`, {}, signal);
      if (status !== 'success') throw new Failure('upstream_error', 'The upstream did not accept an upload.');
    },
    fileInfo: (id: string, signal: AbortSignal) => getJson(`/files/${encodeURIComponent(id)}`, signal),
    models: (signal: AbortSignal | null = null) =>
      getJson('/models?history_and_training_disabled=false', signal),
    gizmo: (id: string) => getJson(`/gizmos/${encodeURIComponent(id)}`),
    socketUrl: async (signal: AbortSignal) =>
      textField(await postJson('/register-websocket', undefined, signal), 'wss_url'),
    topicSocketUrl: async (signal: AbortSignal) =>
      textField(await getJson('/celsius/ws/user', signal), 'websocket_url'),
  };
}

export type Client = ReturnType<typeof createClient>;

/** How an answer comes: in the body, or over a socket that the fields describe. */
export type ConversationResponse =
  | { readonly kind: 'stream'; readonly body: ReadableStream<Uint8Array> }
  | { readonly kind: 'socket'; readonly fields: JsonObject };

/** Leaves a body unread. Not awaited: a body that is silent may not react. */
function discard(response: Response): void {
  void response.body?.cancel().catch(() => {});
}

function parseObject(bytes: Uint8Array): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

function textField(value: JsonObject, name: string): string {
  const field = value[name];
  if (typeof field === 'string') return field;
  throw new Failure('upstream_error', 'The upstream named no socket to listen on.');
}
