import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import { type JsonBody, modelOf, parseJsonBody, withModel } from '../http/json-body.ts';
import { decodedSegment } from '../http/request-target.ts';
import type { Relay, UpstreamRequest } from '../relay/relay.ts';
import { json, type Reply } from '../reply.ts';
import { countFurtherAttempt } from '../upstreams/attempts.ts';
import { isRetryableElsewhere } from '../upstreams/backend-api/endpoints.ts';
import type { Candidates, ModelRouter, Served } from '../upstreams/model-router.ts';
import type { Plan } from '../upstreams/relay-plan.ts';
import { readForm } from './form.ts';
import type { GivenPicture } from './image-request.ts';

type Conversation = Extract<Served, { kind: 'backend-api' }>;

/** The routes that are converted if no upstream of the OpenAI API serves them. */
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
/** The model of a request for a picture that names none. */
const drawingModel = 'dall-e-3';

/**
 * Any `/v1` path. If one upstream serves everything, the request is relayed and its body is not
 * read. If there is a choice, a JSON body is read (up to `maxBodyBytes`) for the model that it
 * names. A body without a model, or of another type, goes to the general upstream.
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
    // Before a body is read: a request that no upstream would accept must cost nothing.
    modelRouter.requireKey(call.credentials);
    if (!modelRouter.hasGeneral && isFiles.test(call.path)) return withFiles(call);
    // With a general upstream forms are relayed unread. Those for a conversation are read here.
    if (!modelRouter.hasGeneral && call.method === 'POST' && isPictureForm.test(call.path))
      return withForm(call);
    const byModel = call.method === 'POST' && /^application\/json\b/i.test(head.get('content-type') ?? '');
    if (!byModel) return general(call, 'incoming');
    return readBody(call).then((body) => withBody(call, body));
  };

  /** Reads a JSON body, if the caller has the key that every upstream requires. */
  const readBody = async (call: Call): Promise<JsonBody> => {
    modelRouter.requireKey(call.credentials);
    return readJson(call, maxBodyBytes);
  };

  /** `/v1/files` of a gateway that stores them. The upstream judges a caller's key before that. */
  const withFiles = async (call: Call): Promise<Reply> => {
    if (call.method !== 'POST') return converted.files(call);
    let refusal: unknown = null;
    for (const upstream of modelRouter.upstreams) {
      if (upstream.kind !== 'backend-api') continue;
      refusal = await upstream.checkKey(call).then(
        () => null,
        (error: unknown) => error,
      );
      // One upstream that accepts the key is enough.
      if (refusal === null) break;
    }
    if (refusal !== null) throw refusal;
    return converted.files(call);
  };

  /** Sends a body that was read to the upstream that serves its model, or converts it. */
  const withBody = (call: Call, body: JsonBody): Reply | Promise<Reply> => {
    if (modelRouter.onlyUpstream) return general(call, body.bytes);
    const isChat = call.path === '/v1/chat/completions';
    const isImages = call.path === '/v1/images/generations';
    if (body.value.model === undefined && !isChat && (modelRouter.hasGeneral || !isImages))
      return general(call, body.bytes);
    const model = isImages && body.value.model === undefined ? drawingModel : modelOf(body);
    const choice = candidates(call, model);
    if (choice instanceof Promise) return choice.then((each) => served(call, body, model, each));
    return served(call, body, model, choice);
  };

  /**
   * Asks the candidates for a model in turn. All upstreams of the OpenAI API are one plan. A
   * conversation upstream is asked alone. If it fails, the next candidate is asked.
   */
  const served = (
    call: Call,
    body: JsonBody,
    requested: string,
    [first, ...others]: Candidates,
  ): Reply | Promise<Reply> => {
    if (first.kind === 'openai') {
      const toRequest = ({ upstream, model }: typeof first) => ({
        upstream,
        body: model === requested ? body.bytes : withModel(body, model).bytes,
      });
      return plan(call, call.method, call.path, [
        toRequest(first),
        ...others.flatMap((other) => (other.kind === 'openai' ? [toRequest(other)] : [])),
      ]);
    }
    call.record.upstream = first.upstream.name;
    const response = convert(call, body, requested, first);
    const [next, ...rest] = others;
    if (!next) return response;
    return response.catch((error: unknown) => {
      if (!isRetryableElsewhere(error) || call.incoming.signal.aborted) throw error;
      countFurtherAttempt(call.record);
      return served(call, body, requested, [next, ...rest]);
    });
  };

  const convert = async (
    call: Call,
    body: JsonBody,
    requested: string,
    conversation: Conversation,
  ): Promise<Response> => {
    if (call.path === '/v1/chat/completions') return converted.chat(call, body, conversation);
    if (call.path === '/v1/images/generations') return converted.images(call, body.value, [], conversation);
    throw new Failure(
      'not_found',
      `The model "${requested.slice(0, 100)}" is served for POST /v1/chat/completions and /v1/images/generations only.`,
      { param: 'model' },
    );
  };

  /** A form with pictures to change. It is read, because they go into a conversation. */
  const withForm = async (call: Call): Promise<Reply> => {
    const form = await readForm(call, maxBodyBytes);
    const named = form.get('model');
    const [first] = await candidates(call, typeof named === 'string' && named !== '' ? named : drawingModel);
    if (first.kind === 'openai') throw new Failure('not_found', 'The model is not served for this path.');
    const fields = Object.fromEntries([...form].filter(([, value]) => typeof value === 'string'));
    const files = [...form].flatMap(([field, file]) => (typeof file === 'string' ? [] : [{ field, file }]));
    const pictures = await Promise.all(
      files.map(async ({ field, file }) => ({
        field,
        bytes: new Uint8Array(await file.arrayBuffer()),
        type: file.type,
        filename: file.name,
      })),
    );
    call.record.upstream = first.upstream.name;
    return converted.images(call, fields, pictures, first);
  };

  /** The upstreams that may serve a model. The model is recorded. */
  const candidates = (call: Call, name: string): Candidates | Promise<Candidates> => {
    call.record.model = name.slice(0, 100);
    return modelRouter.candidates(call, name);
  };

  /** `GET /v1/models/{id}`, from the upstream that serves the model. */
  const model = (call: Call): Reply | Promise<Reply> => {
    if (modelRouter.onlyUpstream) return general(call, null);
    const id = decodedSegment(call.path.slice('/v1/models/'.length));
    if (id === null)
      throw new Failure('invalid_request', 'The model name in the path is not percent-encoded UTF-8.');
    const choice = modelRouter.candidates(call, id);
    return choice instanceof Promise
      ? choice.then(([first]) => describe(call, id, first))
      : describe(call, id, choice[0]);
  };

  const describe = (call: Call, id: string, first: Served): Reply => {
    if (first.kind === 'backend-api')
      return json({ id, object: 'model', created: 0, owned_by: first.upstream.name });
    return plan(call, call.method, `/v1/models/${encodeURIComponent(first.model)}`, [
      { upstream: first.upstream, body: null },
    ]);
  };

  return { forward, model, readBody, withBody };
}

function isWebSocket(call: Call): boolean {
  return call.method === 'GET' && call.incoming.head.get('upgrade')?.toLowerCase() === 'websocket';
}

/**
 * Reads a JSON body. Throws a 413 beyond the limit, a 415 if it is compressed, a 400 if it is not
 * JSON.
 */
export async function readJson(call: Call, maxBodyBytes: number): Promise<JsonBody> {
  const encoding = call.incoming.head.get('content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Failure(
      'unsupported_media_type',
      `The body must be read here to choose an upstream, and it is compressed (${encoding.slice(0, 40)}). Send it uncompressed.`,
    );
  }
  return parseJsonBody(await call.readBody(maxBodyBytes));
}
