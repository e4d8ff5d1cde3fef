import type { Call } from '../call.ts';
import type { Tunnel, UpstreamRequest } from '../relay/relay.ts';
import type { Publish } from '../segments/answer.ts';
import type { AssetRef, Segment } from '../segments/segment.ts';
import type { ChatRequest, ConversationModel } from './backend-api/compose.ts';

/**
 * Which models an upstream serves by its settings: a name, or the beginning of one followed by `*`.
 */
export type ModelPatterns = readonly string[];

/** Whether a model's name fits one of the patterns. */
export function matches(patterns: ModelPatterns, model: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model,
  );
}

/** An upstream that speaks the OpenAI API: requests and responses are relayed unchanged. */
export interface CompatibleUpstream {
  readonly kind: 'openai';
  readonly name: string;
  /** The models it serves; null if it takes any. */
  readonly models: ModelPatterns | null;
  /** The setting that would make a caller's key unnecessary; null if none is necessary. */
  readonly requiresKey: string | null;
  /**
   * The requests that may be sent, one for each of its keys, in turn; `own` if the key is the
   * caller's. `path` is canonical. Throws a 401 if there is no key to send.
   */
  requests(
    call: Call,
    path: string,
    body: UpstreamRequest['body'],
  ): readonly { readonly hop: UpstreamRequest; readonly own: boolean }[];
  /** Plans a WebSocket to it. */
  tunnel(call: Call): Tunnel;
}

/** Segments in batches, one for each read of the upstream. `return` ends the turn at once. */
export interface SegmentBatches extends AsyncIterable<readonly Segment[], undefined> {
  next(): Promise<IteratorResult<readonly Segment[], undefined>>;
  return(): Promise<IteratorReturnResult<undefined>>;
}

/** An answer in segments, and the way to turn the assets that it names into links or bytes. */
export type SegmentStream = {
  readonly batches: SegmentBatches;
  readonly publish: Publish;
  /** The bytes of an asset. */
  readonly download: (asset: AssetRef) => Promise<Response>;
};

/** An upstream that speaks the ChatGPT web app's protocol: its answers are converted here. */
export interface BackendUpstream {
  readonly kind: 'backend-api';
  readonly name: string;
  /** The setting that would make a caller's key unnecessary; null if none is necessary. */
  readonly requiresKey: string | null;
  /** Its own limit for a whole answer, in seconds; null if TOTAL_TIMEOUT is its limit. */
  readonly totalSeconds: number | null;
  /** The models that it lists for the caller's key. Throws if the list cannot be read. */
  models(call: Call): Promise<readonly string[]>;
  /** Throws if the upstream refuses the caller's own key. A server-side key is not checked. */
  checkKey(call: Call): Promise<void>;
  /** Asks for an answer. Resolves once the upstream agreed to give one. Throws its refusal. */
  chat(
    call: Call,
    request: ChatRequest,
    model: ConversationModel,
    signal: AbortSignal,
  ): Promise<SegmentStream>;
}

export type Upstream = CompatibleUpstream | BackendUpstream;
