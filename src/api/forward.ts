import { type JsonBody, modelOf, parseJsonBody, withModel } from '../body.ts';
import type { Call } from '../call.ts';
import { Failure } from '../failure.ts';
import { json, type Reply } from '../reply.ts';
import type { Directory, Served } from '../upstreams/directory.ts';

/**
 * Any `/v1` path, carried as it is. Where one upstream serves everything, the body is not even looked at. Where there is a choice, a JSON body
 * is read (up to `maxBodyBytes`) for the model it names; a body without one, or of another type, goes to the upstream for all the rest.
 */
export function createForward(
  directory: Directory,
  maxBodyBytes: number,
  chat: (call: Call, body: JsonBody, served: Extract<Served, { kind: 'backend-api' }>) => Promise<Response>,
) {
  const forward = (call: Call): Reply | Promise<Reply> => {
    const { head } = call.incoming;
    if (isWebSocket(call)) return directory.general().tunnel(call);
    if (directory.sole) return directory.sole.relay(call, call.method, call.path, 'incoming');
    const byModel = call.method === 'POST' && /^application\/json\b/i.test(head.get('content-type') ?? '');
    if (!byModel) return directory.general().relay(call, call.method, call.path, 'incoming');
    return readJson(call, maxBodyBytes).then((body) => withBody(call, body));
  };

  /** Carries a body that was read to whoever serves the model it names, or asks for an answer to it. */
  const withBody = (call: Call, body: JsonBody): Reply | Promise<Reply> => {
    if (directory.sole) return directory.sole.relay(call, call.method, call.path, body.bytes);
    const isChat = call.path === '/v1/chat/completions';
    if (body.value.model === undefined && !isChat) {
      return directory.general().relay(call, call.method, call.path, body.bytes);
    }
    const asked = modelOf(body);
    call.notes.model = asked.slice(0, 100);
    const served = directory.find(asked);
    if (served.kind === 'openai') {
      const bytes = served.model === asked ? body.bytes : withModel(body, served.model).bytes;
      return served.upstream.relay(call, call.method, call.path, bytes);
    }
    call.notes.upstream = served.upstream.name;
    if (isChat) return chat(call, body, served);
    throw new Failure(
      'not_found',
      `The model "${asked.slice(0, 100)}" is served for POST /v1/chat/completions only.`,
      { param: 'model' },
    );
  };

  /** `GET /v1/models/{id}`, asked of the upstream that serves the model. */
  const model = (call: Call): Reply => {
    if (directory.sole) return directory.sole.relay(call, call.method, call.path, null);
    const asked = decoded(call.path.slice('/v1/models/'.length));
    const served = directory.find(asked);
    if (served.kind === 'backend-api')
      return json({ id: asked, object: 'model', created: 0, owned_by: served.upstream.name });
    return served.upstream.relay(call, call.method, `/v1/models/${encodeURIComponent(served.model)}`, null);
  };

  return { forward, model, withBody };
}

function isWebSocket(call: Call): boolean {
  return call.method === 'GET' && call.incoming.head.get('upgrade')?.toLowerCase() === 'websocket';
}

/** Reads a JSON body. Throws a 413 beyond the limit, a 415 for one that is compressed, a 400 for one that is not JSON. */
export async function readJson(call: Call, maxBodyBytes: number): Promise<JsonBody> {
  const encoding = call.incoming.head.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Failure(
      'unsupported_media_type',
      `The body must be read here to choose an upstream, and it is compressed (${encoding.slice(0, 40)}). Send it uncompressed.`,
    );
  }
  return parseJsonBody(await call.incoming.read(maxBodyBytes));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Failure('invalid_request', 'The model name in the path is not percent-encoded UTF-8.');
  }
}
