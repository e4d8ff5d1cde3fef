import type { Call } from '../call.ts';
import type { Tunnel, UpstreamRequest } from '../relay/relay.ts';
import type { Publish } from '../segments/answer.ts';
import type { AssetRef, Segment } from '../segments/segment.ts';
import type { ChatRequest, ConversationModel } from './backend-api/compose.ts';

/** Which names an upstream serves by its settings: a name, or the beginning of one followed by `*`. */
export type ModelPatterns = readonly string[];

/** Whether a model's name fits one of the patterns. */
export function matches(patterns: ModelPatterns, model: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model,
  );
}

/** An upstream that speaks the OpenAI API: what it is asked and what it answers are carried as they are. */
export interface CompatibleUpstream {
  readonly kind: 'openai';
  readonly name: string;
  /** The models it is for; null where it takes any. */
  readonly models: ModelPatterns | null;
  /**
   * The ways to ask it, one for each of its keys, in turn; `own` where the key is the caller's. `path` is canonical. Throws a 401 where
   * there is no key to send.
   */
  requests(
    call: Call,
    path: string,
    body: UpstreamRequest['body'],
  ): readonly { readonly hop: UpstreamRequest; readonly own: boolean }[];
  /** Plans a WebSocket to it. */
  tunnel(call: Call): Tunnel;
}

/** An answer in segments, and the way to turn what it names into something a reader can see. */
export type SegmentStream = {
  readonly batches: AsyncIterable<readonly Segment[]>;
  readonly publish: Publish;
  /** The bytes of what a segment names. */
  readonly download: (asset: AssetRef) => Promise<Response>;
};

/** An upstream that speaks the ChatGPT web app's own protocol: its answers are put together here. */
export interface BackendUpstream {
  readonly kind: 'backend-api';
  readonly name: string;
  /** Asks for an answer. Resolves once the upstream has agreed to give one; throws its refusal. */
  chat(
    call: Call,
    request: ChatRequest,
    model: ConversationModel,
    signal: AbortSignal,
  ): Promise<SegmentStream>;
}

export type Upstream = CompatibleUpstream | BackendUpstream;
