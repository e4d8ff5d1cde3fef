import * as v from 'valibot';
import type { Call } from '../call.ts';
import { errorBody, Failure, toFailure } from '../http/failure.ts';
import { headerOf } from '../http/headers.ts';
import { hashOf } from '../ports/hash.ts';
import type { Ports } from '../ports/ports.ts';
import { typedCache } from '../ports/typed-cache.ts';
import type { Relay } from '../relay/relay.ts';
import { json, type Reply } from '../reply.ts';
import { readBody } from '../streams/read-body.ts';
import type { ModelRouter } from '../upstreams/model-router.ts';
import type { Plan } from '../upstreams/relay-plan.ts';
import type { CompatibleUpstream } from '../upstreams/upstream.ts';

/**
 * A model as the API lists it. Fields beyond the id are the upstream's own and stay as they are.
 */
export type Model = { readonly id: string; readonly [field: string]: unknown };

type Listed =
  | { ok: true; models: readonly Model[] }
  | { ok: false; status: number; body: Uint8Array; type: string };

/**
 * Runs a relay plan inside the gateway. Returns its response. The transfer ends when the body is
 * read or cancelled.
 */
export type FetchRelay = (plan: Relay, signal: AbortSignal) => Promise<Response>;

type ModelsParts = {
  readonly modelRouter: ModelRouter;
  readonly settings: { readonly modelsCacheSeconds: number; readonly idleTimeout: number };
  readonly ports: Ports;
  readonly plan: Plan;
  readonly fetchRelay: FetchRelay;
};

const maxListBytes = 8 * 1024 * 1024;
/** Longest time for a whole list, in seconds. */
const listSeconds = 60;

/**
 * `GET /v1/models`: the models of all upstreams in one list. An upstream's list is cached for a
 * while, for each key that it was requested with. An upstream that fails is left out while another
 * answers; if none does, its error is passed on.
 */
export function createModels({
  modelRouter,
  settings,
  ports,
  plan,
  fetchRelay,
}: ModelsParts): (call: Call) => Promise<Reply> {
  const remembered = typedCache(
    ports,
    'models',
    v.array(v.looseObject({ id: v.string() })),
    settings.modelsCacheSeconds,
  );
  const compatible = modelRouter.upstreams.filter((upstream) => upstream.kind === 'openai');
  const conversations = modelRouter.upstreams.filter((upstream) => upstream.kind === 'backend-api');

  const listOf = async (call: Call, upstream: CompatibleUpstream): Promise<Listed> => {
    const relay = plan({ ...call, search: '' }, 'GET', '/v1/models', [{ upstream, body: null }]);
    const account = await accountHash(relay.requests[0].headers, ports);
    const known = settings.modelsCacheSeconds > 0 ? await remembered.get(upstream.name, account) : undefined;
    if (known) return { ok: true, models: known };
    const listed = await readList(await fetchRelay(relay, call.incoming.signal), settings.idleTimeout);
    if (listed.ok && settings.modelsCacheSeconds > 0)
      await remembered.set([...listed.models], upstream.name, account);
    return listed;
  };

  return async (call) => {
    // Read beside the others. One that fails, or for which there is no key, has its usual names.
    const slugs = Promise.all(
      conversations.map((upstream) => upstream.models(call).catch((): readonly string[] => [])),
    );
    const results = await Promise.all(
      compatible.map((upstream) => listOf(call, upstream).catch((error): Listed => failed(error))),
    );
    const models = new Map<string, Model>();
    for (const [id, upstream] of modelRouter.names) {
      models.set(id, { id, object: 'model', created: 0, owned_by: upstream });
    }
    for (const [i, result] of results.entries()) {
      if (!result.ok) continue;
      for (const model of result.models) {
        if (!models.has(model.id) && modelRouter.first(model.id)?.upstream.name === compatible[i]?.name)
          models.set(model.id, model);
      }
    }
    for (const [i, list] of (await slugs).entries()) {
      const owner = conversations[i]?.name ?? '';
      // A name that another upstream takes is served there.
      for (const id of list)
        if (!models.has(id) && (modelRouter.first(id)?.upstream.name ?? owner) === owner)
          models.set(id, { id, object: 'model', created: 0, owned_by: owner });
    }
    const failure = results.find((result) => !result.ok);
    if (failure && models.size === 0) {
      return new Response(failure.body.slice(), {
        status: failure.status,
        headers: { 'content-type': failure.type },
      });
    }
    return json({ object: 'list', data: [...models.values()] });
  };
}

/** Lists differ by key and by account only. The cache holds a key's hash, never the key. */
function accountHash(headers: readonly string[], ports: Pick<Ports, 'createHash'>): Promise<string> {
  const names = ['authorization', 'openai-organization', 'openai-project', 'chatgpt-account-id'];
  return hashOf(ports, JSON.stringify(names.map((name) => headerOf(headers, name) ?? null)));
}

function failed(error: unknown): Listed {
  const failure = toFailure(error);
  if (failure.code === 'internal_error') throw error;
  const body = new TextEncoder().encode(JSON.stringify(errorBody(failure)));
  return { ok: false, status: failure.status, body, type: 'application/json' };
}

async function readList(answer: Response, idleSeconds: number): Promise<Listed> {
  const limits = { maxBytes: maxListBytes, idleSeconds, totalSeconds: listSeconds };
  const body = await readBody(answer.body, limits, (limit) =>
    limit === 'size'
      ? new Failure('upstream_error', 'The upstream gave a model list of more than 8 MiB.')
      : new Failure('upstream_timeout', 'The upstream did not finish its model list in time.'),
  );
  if (!answer.ok) {
    return {
      ok: false,
      status: answer.status,
      body,
      type: answer.headers.get('content-type') ?? 'application/json',
    };
  }
  const models = modelsIn(body);
  if (models) return { ok: true, models };
  throw new Failure(
    'upstream_error',
    'The upstream answered GET /v1/models with something that is not a model list. Check its base URL.',
  );
}

function modelsIn(body: Uint8Array): readonly Model[] | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    const data = Array.isArray(value) ? value : (value as { data?: unknown } | null)?.data;
    return Array.isArray(data) ? data.filter((model): model is Model => typeof model?.id === 'string') : null;
  } catch {
    return null;
  }
}
