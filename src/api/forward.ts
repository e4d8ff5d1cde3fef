import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import { type JsonBody, modelOf, parseJsonBody, withModel } from '../http/json-body.ts';
import { decodedSegment } from '../http/request-target.ts';
import type { Relay, UpstreamRequest } from '../relay/relay.ts';
import { json, type Reply } from '../reply.ts';
import { isRetryableElsewhere } from '../upstreams/backend-api/endpoints.ts';
import type { Candidates, ModelRouter, Served } from '../upstreams/model-router.ts';
import type { Plan } from '../upstreams/relay-plan.ts';
import { readForm } from './form.ts';
import type { GivenPicture } from './image-request.ts';

type Conversation = Extract<Served, { kind: 'backend-api' }>;

/** What is answered here where no upstream of the OpenAI API does. */
export type Converted = {
  chat(call: Call, body: JsonBody, served: Conversation): Promise<Response>;
  images(
    call: Call,
    fields: JsonBody['value'],
    pictures: readonly GivenPicture[],
    served: Conversation,
  ): Promise<Response>;
  files(call: Call): Promise<Response>;
};

const isFiles = /^\/v1\/files(?:\/|$)/;
const isPictureForm = /^\/v1\/images\/(?:edits|variations)$/;
/** Who draws where no model is named. */
const drawingModel = 'dall-e-3';

/**
 * Any `/v1` path, carried as it is. Where one upstream serves everything, the body is not even looked at. Where there is a choice, a JSON body
 * is read (up to `maxBodyBytes`) for the model it names; a body without one, or of another type, goes to the upstream for all the rest.
 */
export function createForward(
  modelRouter: ModelRouter,
  plan: Plan,
  maxBodyBytes: number,
  converted: Converted,
) {
  const general = (call: Call, body: UpstreamRequest['body']): Relay =>
    plan(call, call.method, call.path, [{ upstream: modelRouter.general(), body }]);

  const forward = (call: Call): Reply | Promise<Reply> => {
    const { head } = call.incoming;
    if (isWebSocket(call)) return modelRouter.general().tunnel(call);
    if (modelRouter.onlyUpstream) return general(call, 'incoming');
    if (!modelRouter.hasGeneral && isFiles.test(call.path)) return converted.files(call);
    // Where somebody else takes forms, they stream there unread; only a conversation's are read here.
    if (!modelRouter.hasGeneral && call.method === 'POST' && isPictureForm.test(call.path))
      return withForm(call);
    const byModel = call.method === 'POST' && /^application\/json\b/i.test(head.get('content-type') ?? '');
    if (!byModel) return general(call, 'incoming');
    return readJson(call, maxBodyBytes).then((body) => withBody(call, body));
  };

  /** Carries a body that was read to whoever serves the model it names, or asks for an answer to it. */
  const withBody = (call: Call, body: JsonBody): Reply | Promise<Reply> => {
    if (modelRouter.onlyUpstream) return general(call, body.bytes);
    const isChat = call.path === '/v1/chat/completions';
    const isImages = call.path === '/v1/images/generations';
    if (body.value.model === undefined && !isChat && (modelRouter.hasGeneral || !isImages))
      return general(call, body.bytes);
    const asked = isImages && body.value.model === undefined ? drawingModel : modelOf(body);
    return served(call, body, asked, found(call, asked));
  };

  /** Asks the first who may serve a model: all of the OpenAI API in one plan, a conversation by itself, and who comes after it where it fails. */
  const served = (
    call: Call,
    body: JsonBody,
    asked: string,
    [first, ...others]: Candidates,
  ): Reply | Promise<Reply> => {
    if (first.kind === 'openai') {
      const asking = ({ upstream, model }: typeof first) => ({
        upstream,
        body: model === asked ? body.bytes : withModel(body, model).bytes,
      });
      return plan(call, call.method, call.path, [
        asking(first),
        ...others.flatMap((other) => (other.kind === 'openai' ? [asking(other)] : [])),
      ]);
    }
    call.record.upstream = first.upstream.name;
    const answer = converse(call, body, asked, first);
    const [next, ...rest] = others;
    if (!next) return answer;
    return answer.catch((error: unknown) => {
      if (!isRetryableElsewhere(error) || call.incoming.signal.aborted) throw error;
      return served(call, body, asked, [next, ...rest]);
    });
  };

  const converse = async (
    call: Call,
    body: JsonBody,
    asked: string,
    conversation: Conversation,
  ): Promise<Response> => {
    if (call.path === '/v1/chat/completions') return converted.chat(call, body, conversation);
    if (call.path === '/v1/images/generations') return converted.images(call, body.value, [], conversation);
    throw new Failure(
      'not_found',
      `The model "${asked.slice(0, 100)}" is served for POST /v1/chat/completions and /v1/images/generations only.`,
      { param: 'model' },
    );
  };

  /** Pictures to change, in a form: it is read, since they go into a conversation. */
  const withForm = async (call: Call): Promise<Reply> => {
    const form = await readForm(call, maxBodyBytes);
    const named = form.get('model');
    const [first] = found(call, typeof named === 'string' && named !== '' ? named : drawingModel);
    if (first.kind === 'openai') throw new Failure('not_found', 'The model is not served for this path.');
    const fields = Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'));
    const files = [...form].flatMap(([, value]) => (typeof value === 'string' ? [] : [value]));
    const pictures = await Promise.all(
      files.map(async (file) => ({
        bytes: new Uint8Array(await file.arrayBuffer()),
        type: file.type,
        filename: file.name,
      })),
    );
    call.record.upstream = first.upstream.name;
    return converted.images(call, fields, pictures, first);
  };

  /** Who may serve a model, which is noted for the log. */
  const found = (call: Call, asked: string): Candidates => {
    call.record.model = asked.slice(0, 100);
    return modelRouter.candidates(asked);
  };

  /** `GET /v1/models/{id}`, asked of the upstream that serves the model. */
  const model = (call: Call): Reply => {
    if (modelRouter.onlyUpstream) return general(call, null);
    const asked = decodedSegment(call.path.slice('/v1/models/'.length));
    if (asked === null)
      throw new Failure('invalid_request', 'The model name in the path is not percent-encoded UTF-8.');
    const [first] = modelRouter.candidates(asked);
    if (first.kind === 'backend-api')
      return json({ id: asked, object: 'model', created: 0, owned_by: first.upstream.name });
    return plan(call, call.method, `/v1/models/${encodeURIComponent(first.model)}`, [
      { upstream: first.upstream, body: null },
    ]);
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
