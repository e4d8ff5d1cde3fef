import { Failure } from '../http/failure.ts';
import type { ConversationModel } from './backend-api/compose.ts';
import {
  conversationModel,
  conversationModelNames,
  isAlwaysConversation,
} from './backend-api/model-names.ts';
import { type BackendUpstream, type CompatibleUpstream, matches, type Upstream } from './upstream.ts';

/** What a model's name leads to: an upstream, and the model to ask it for. */
export type Served =
  | { readonly kind: 'openai'; readonly upstream: CompatibleUpstream; readonly model: string }
  | { readonly kind: 'backend-api'; readonly upstream: BackendUpstream; readonly model: ConversationModel };

/** Who may serve a model: the first is asked first, the others where it fails. */
export type Candidates = readonly [Served, ...Served[]];

/** One upstream of an entry: `model` is its own name for the model, `weight` its share where the load is divided. */
type Choice = {
  readonly upstream: string;
  readonly model?: string | undefined;
  readonly weight?: number | undefined;
};

/** An explicit entry of the settings: one upstream, or several. */
export type ModelEntry = Choice | { readonly upstreams: readonly Choice[] };

export interface ModelRouter {
  readonly upstreams: readonly Upstream[];
  /** The names that are listed without asking an upstream, each with who serves it. */
  readonly names: ReadonlyMap<string, string>;
  /** The one upstream that everything goes to, so that no body need be read to know; null where there is a choice. */
  readonly onlyUpstream: CompatibleUpstream | null;
  /** Whether an upstream of the OpenAI API is there for paths that name no model. */
  readonly hasGeneral: boolean;
  /** The upstream for paths that name no model. Throws a 404 that names the setting where there is none. */
  general(): CompatibleUpstream;
  /** Who serves a model first; null where nobody does. */
  first(model: string): Served | null;
  /** Who may serve a model, in the order they are to be asked. Throws a 404 `model_not_found` where nobody does. */
  candidates(model: string): Candidates;
}

/**
 * Knows which upstream serves what: an explicit entry or a GPT's name wins, then names that mean the conversation upstream, then
 * patterns, then the first compatible upstream that takes any model, then the conversation upstream's own names.
 */
export function createModelRouter(
  upstreams: readonly Upstream[],
  entries: Readonly<Record<string, ModelEntry>>,
  gpts: Readonly<Record<string, { readonly id: string }>> = {},
  random: () => number = Math.random,
): ModelRouter {
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  const compatible = upstreams.filter((upstream) => upstream.kind === 'openai');
  const backend = upstreams.find((upstream) => upstream.kind === 'backend-api') ?? null;
  const open = compatible.find((upstream) => upstream.models === null) ?? null;
  const sole = upstreams.length === 1 && Object.keys(entries).length === 0 ? open : null;

  const served = (upstream: Upstream, model: string): Served =>
    upstream.kind === 'openai'
      ? { kind: 'openai', upstream, model }
      : { kind: 'backend-api', upstream, model: conversationModel(model) ?? { slug: model, gizmo: null } };

  const candidates = (model: string): readonly Served[] => {
    const entry = Object.hasOwn(entries, model) ? entries[model] : undefined;
    if (entry) {
      const choices = 'upstreams' in entry ? inDrawnOrder(entry.upstreams, random) : [entry];
      return choices.flatMap((choice) => {
        const named = byName.get(choice.upstream);
        return named ? [served(named, choice.model ?? model)] : [];
      });
    }
    const gpt = Object.hasOwn(gpts, model) ? gpts[model] : undefined;
    if (backend && gpt)
      return [{ kind: 'backend-api', upstream: backend, model: { slug: 'gpt-4-gizmo', gizmo: gpt.id } }];
    if (backend && isAlwaysConversation(model)) return [served(backend, model)];
    const specific = compatible.filter(
      (upstream) => upstream.models !== null && matches(upstream.models, model),
    );
    const found = specific.length > 0 ? specific : compatible.filter((upstream) => upstream.models === null);
    if (found.length > 0) return found.map((upstream) => served(upstream, model));
    return backend && conversationModel(model) ? [served(backend, model)] : [];
  };
  const look = (model: string): Served | null => candidates(model)[0] ?? null;

  const listed = [
    ...Object.keys(entries),
    ...(backend
      ? [...conversationModelNames, ...Object.keys(gpts)].filter((name) => look(name)?.upstream === backend)
      : []),
  ];

  return {
    upstreams,
    names: new Map(listed.map((name) => [name, look(name)?.upstream.name ?? ''])),
    onlyUpstream: sole,
    hasGeneral: compatible.length > 0,
    first: look,
    candidates(model) {
      const [first, ...others] = candidates(model);
      if (first) return [first, ...others];
      throw new Failure(
        'model_not_found',
        `The model "${model.slice(0, 100)}" is not served here. GET /v1/models lists those that are.`,
        { param: 'model' },
      );
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

/** Those with a weight in an order drawn by it, then the others as they stand. */
function inDrawnOrder(choices: readonly Choice[], random: () => number): readonly Choice[] {
  const drawn: Choice[] = [];
  const left = choices.filter(({ weight }) => weight !== undefined && weight > 0);
  while (left.length > 0) {
    let point = random() * left.reduce((sum, { weight = 0 }) => sum + weight, 0);
    const at = left.findIndex(({ weight = 0 }) => (point -= weight) < 0);
    drawn.push(...left.splice(Math.max(at, 0), 1));
  }
  return [...drawn, ...choices.filter(({ weight }) => weight === undefined)];
}
