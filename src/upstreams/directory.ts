import { Failure } from '../failure.ts';
import { type CompatibleUpstream, matches, type Upstream } from './upstream.ts';

/** What a model's name leads to: an upstream, and the name to ask it for. */
export type Served = { readonly upstream: Upstream; readonly model: string };

/** An explicit entry of the settings: `model` is the upstream's name for it where that is another. */
export type ModelEntry = { readonly upstream: string; readonly model?: string | undefined };

export interface Directory {
  readonly upstreams: readonly Upstream[];
  readonly entries: ReadonlyMap<string, ModelEntry>;
  /** The one upstream that everything goes to, so that no body need be read to know; null where there is a choice. */
  readonly sole: CompatibleUpstream | null;
  /** The upstream for paths that name no model. Throws a 404 that names the setting where there is none. */
  general(): CompatibleUpstream;
  /** Who serves a model. Throws a 404 `model_not_found` where nobody does. */
  find(model: string): Served;
}

/** Knows which upstream serves what: an explicit entry wins, then patterns, then the first that takes any model. */
export function createDirectory(
  upstreams: readonly Upstream[],
  entries: Readonly<Record<string, ModelEntry>>,
): Directory {
  const explicit = new Map(Object.entries(entries));
  const byName = new Map(upstreams.map((upstream) => [upstream.name, upstream]));
  const compatible = upstreams.filter((upstream) => upstream.kind === 'openai');
  const open = compatible.find((upstream) => upstream.models === null);
  const sole = upstreams.length === 1 && explicit.size === 0 && open ? open : null;

  const find = (model: string): Served => {
    const entry = explicit.get(model);
    const named = entry && byName.get(entry.upstream);
    if (entry && named) return { upstream: named, model: entry.model ?? model };
    const specific = compatible.find(
      (upstream) => upstream.models !== null && matches(upstream.models, model),
    );
    const upstream = specific ?? open;
    if (upstream) return { upstream, model };
    throw new Failure(
      'model_not_found',
      `The model "${model.slice(0, 100)}" is not served here. GET /v1/models lists those that are.`,
      { param: 'model' },
    );
  };

  return {
    upstreams,
    entries: explicit,
    sole,
    find,
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
