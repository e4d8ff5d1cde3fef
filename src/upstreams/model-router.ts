import { type Credentials, keyFor } from '../access/credentials.ts';
import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import type { ConversationModel } from './backend-api/compose.ts';
import {
  conversationModel,
  conversationModelNames,
  isAlwaysConversation,
  nearestNames,
} from './backend-api/model-names.ts';
import { type BackendUpstream, type CompatibleUpstream, matches, type Upstream } from './upstream.ts';

/** The upstream that serves a model, and its own name for the model. */
export type Served =
  | { readonly kind: 'openai'; readonly upstream: CompatibleUpstream; readonly model: string }
  | { readonly kind: 'backend-api'; readonly upstream: BackendUpstream; readonly model: ConversationModel };

/** The upstreams that may serve a model. The others are asked if the first fails. */
export type Candidates = readonly [Served, ...Served[]];

/**
 * One upstream of an entry: `model` is its own name for the model, `weight` its share of the load.
 */
type Choice = {
  readonly upstream: string;
  readonly model?: string | undefined;
  readonly weight?: number | undefined;
};

/** An explicit entry of the settings: one upstream, or several. */
export type ModelEntry = Choice | { readonly upstreams: readonly Choice[] };

export interface ModelRouter {
  readonly upstreams: readonly Upstream[];
  /**
   * The names that are listed without asking an upstream, each with the upstream that serves it.
   */
  readonly names: ReadonlyMap<string, string>;
  /** The one upstream for everything, so that no body must be read; null if there is a choice. */
  readonly onlyUpstream: CompatibleUpstream | null;
  /** Whether there is an upstream of the OpenAI API, for paths that name no model. */
  readonly hasGeneral: boolean;
  /** Throws a 401 if every upstream requires a key of the caller, and there is none. */
  requireKey(credentials: Credentials): void;
  /**
   * The upstream for paths that name no model. Throws a 404 that names the setting if there is
   * none.
   */
  general(): CompatibleUpstream;
  /** The first upstream for a model; null if there is none. */
  first(model: string): Served | null;
  /**
   * The upstreams for a model, in their order. A name that the settings do not know is looked up in
   * the lists of the conversation upstreams, with the caller's key. Throws a 404 `model_not_found`
   * with the nearest names if there is none.
   */
  candidates(call: Call, model: string): Candidates | Promise<Candidates>;
}

/**
 * Decides which upstream serves a model. In this order: an explicit entry or the name of a GPT,
 * names that mean the conversation upstream, patterns, the compatible upstreams that take any
 * model, the conversation upstream's own names.
 */
export function createModelRouter(
  upstreams: readonly Upstream[],
  entries: Readonly<Record<string, ModelEntry>>,
  gpts: Readonly<Record<string, { readonly id: string }>> = {},
  random: () => number = Math.random,
): ModelRouter {
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  const compatible = upstreams.filter((upstream) => upstream.kind === 'openai');
  const conversations = upstreams.filter((upstream) => upstream.kind === 'backend-api');
  const backend = conversations[0] ?? null;
  const open = compatible.find((upstream) => upstream.models === null) ?? null;
  const onlyUpstream = upstreams.length === 1 && Object.keys(entries).length === 0 ? open : null;

  /** The setting that a 401 names; null if an upstream can do without a caller's key. */
  const missingKey = upstreams.every(({ requiresKey }) => requiresKey !== null)
    ? (upstreams[0]?.requiresKey ?? null)
    : null;

  const served = (upstream: Upstream, model: string): Served =>
    upstream.kind === 'openai'
      ? { kind: 'openai', upstream, model }
      : { kind: 'backend-api', upstream, model: conversationModel(model) ?? { slug: model, gizmo: null } };

  const candidates = (model: string): readonly Served[] => {
    const entry = Object.hasOwn(entries, model) ? entries[model] : undefined;
    if (entry) {
      const choices = 'upstreams' in entry ? inWeightedOrder(entry.upstreams, random) : [entry];
      return choices.flatMap((choice) => {
        const upstream = byName.get(choice.upstream);
        return upstream ? [served(upstream, choice.model ?? model)] : [];
      });
    }
    const gpt = Object.hasOwn(gpts, model) ? gpts[model] : undefined;
    if (backend && gpt)
      return [{ kind: 'backend-api', upstream: backend, model: { slug: 'gpt-4-gizmo', gizmo: gpt.id } }];
    if (backend && isAlwaysConversation(model)) return [served(backend, model)];
    const specific = compatible.filter(
      (upstream) => upstream.models !== null && matches(upstream.models, model),
    );
    const serving =
      specific.length > 0 ? specific : compatible.filter((upstream) => upstream.models === null);
    if (serving.length > 0) return serving.map((upstream) => served(upstream, model));
    return backend && conversationModel(model) ? [served(backend, model)] : [];
  };
  /** Looks for a model in the lists of the conversation upstreams. */
  const candidatesByList = async (call: Call, model: string): Promise<Candidates> => {
    const lists = await Promise.all(conversations.map((upstream) => upstream.models(call)));
    const [one, ...others] = conversations
      .filter((_, i) => lists[i]?.includes(model))
      .map((upstream) => served(upstream, model));
    if (one) return [one, ...others];
    throw notServed(model, [...new Set([...listed, ...lists.flat()])]);
  };
  const first = (model: string): Served | null => candidates(model)[0] ?? null;

  const listed = [
    ...Object.keys(entries),
    ...(backend
      ? [...conversationModelNames, ...Object.keys(gpts)].filter((name) => first(name)?.upstream === backend)
      : []),
  ];

  return {
    upstreams,
    names: new Map(listed.map((name) => [name, first(name)?.upstream.name ?? ''])),
    onlyUpstream,
    hasGeneral: compatible.length > 0,
    first,
    candidates(call, model) {
      const [one, ...others] = candidates(model);
      if (one) return [one, ...others];
      if (conversations.length > 0) return candidatesByList(call, model);
      throw notServed(model, listed);
    },
    requireKey(credentials) {
      if (missingKey !== null) keyFor(credentials, undefined, missingKey);
    },
    general() {
      const upstream = open ?? compatible[0];
      if (upstream) return upstream;
      throw new Failure(
        'not_found',
        'This path is only served by an OpenAI-compatible upstream, and none is configured. Set OPENAI_BASE_URL or OPENAI_API_KEY.',
      );
    },
  };
}

/** The failure for a name that no upstream serves, with the names that are most like it. */
function notServed(model: string, names: readonly string[]): Failure {
  const nearest = nearestNames(model, names).map((name) => `"${name}"`);
  const hint = nearest.length > 0 ? ` The nearest names: ${nearest.join(', ')}.` : '';
  return new Failure(
    'model_not_found',
    `The model "${model.slice(0, 100)}" is not served here.${hint} GET /v1/models lists those that are.`,
    { param: 'model' },
  );
}

/** Choices with a weight in a random order by weight, then the others in their order. */
function inWeightedOrder(choices: readonly Choice[], random: () => number): readonly Choice[] {
  const drawn: Choice[] = [];
  const left = choices.filter(({ weight }) => weight !== undefined && weight > 0);
  while (left.length > 0) {
    let point = random() * left.reduce((sum, { weight = 0 }) => sum + weight, 0);
    const at = left.findIndex(({ weight = 0 }) => (point -= weight) < 0);
    drawn.push(...left.splice(Math.max(at, 0), 1));
  }
  return [...drawn, ...choices.filter(({ weight }) => weight === undefined)];
}
