import * as v from 'valibot';
import type { Call } from '../../call.ts';
import type { FileStore } from '../../files/file-store.ts';
import { uploadsFolder } from '../../files/uploads.ts';
import { Failure } from '../../http/failure.ts';
import { hostAndPort } from '../../http/guarded-fetch.ts';
import { linkStem } from '../../http/public-url.ts';
import { hashOf } from '../../ports/hash.ts';
import type { Ports } from '../../ports/ports.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import { atLimit } from '../../relay/errors.ts';
import type { UpstreamHealth } from '../../relay/health.ts';
import type { Timeouts, WhenCallerLeaves } from '../../relay/relay.ts';
import type { Release, Semaphore } from '../../relay/semaphore.ts';
import type { BackendUpstream, SegmentStream } from '../upstream.ts';
import { attachAll } from './attach.ts';
import { type Client, createClient } from './client.ts';
import { type ChatRequest, type ConversationModel, composeNext, messagesIn } from './compose.ts';
import { createEndpoints, type Endpoint, isRetryable, resultOf } from './endpoints.ts';
import { contentsOf } from './inputs.ts';
import { createPublisher } from './publish.ts';
import { redactErrors } from './redact-errors.ts';
import { runTurn } from './run-turn.ts';
import { createTurnReader } from './turn.ts';
import { createUploader } from './upload.ts';

export type BackendSettings = {
  readonly name: string;
  /** Base address and prefix, without a slash at the end; several are used in turn. */
  readonly bases: readonly string[];
  /** Server-side keys, used in turn; empty where callers bring their own; null where none is needed. */
  readonly keys: readonly string[] | null;
  readonly timeouts: Timeouts;
  readonly whenCallerLeaves: WhenCallerLeaves;
  readonly slots: Semaphore | null;
  readonly continueRounds: number;
  readonly historyDisabled: boolean;
  readonly hideConversations: boolean;
  readonly alwaysAllowActions: boolean;
  /** A key that may read what GPTs are. */
  readonly keyForGptsInfo?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly r2Domain?: string | undefined;
  readonly upstreamLinks: boolean;
  readonly maxStoredBytes: number;
  readonly maxFileBytes: number;
  /** Private hosts, as `host:port`, that files may be fetched from. */
  readonly fileFetchAllow: readonly string[];
};

/** How long the description of a GPT is remembered, in seconds. */
const gizmoSeconds = 86_400;

const gizmoSchema = v.looseObject({ gizmo: v.looseObject({}) });

/** An upstream that holds conversations: it is asked, and answers in segments. */
export function createBackendUpstream(
  settings: BackendSettings,
  ports: Ports,
  fileStore: FileStore | null,
  upstreamHealth: UpstreamHealth,
): BackendUpstream {
  const waysFor = createEndpoints({ ...settings, firstByteSeconds: settings.timeouts.firstByte }, ports);
  const gizmos = typedCache(ports, 'gizmo', gizmoSchema, gizmoSeconds);
  const callersMayName = new Set(settings.fileFetchAllow);
  // The owner named these hosts: what they hold may be fetched from them.
  const upstreamMayName = new Set([
    ...settings.fileFetchAllow,
    ...settings.bases.map((each) => hostAndPort(new URL(each))),
  ]);

  /** What a GPT is, asked for once; null where it may not be known, which its conversations do not need. */
  const describe = async (id: string): Promise<unknown> => {
    if (!settings.keyForGptsInfo) return null;
    const known = await gizmos.get(settings.name, id);
    if (known !== undefined) return known;
    const key = { key: settings.keyForGptsInfo, own: false };
    const client = createClient(
      {
        base: settings.bases[0] as string,
        key,
        account: null,
        firstByteSeconds: settings.timeouts.firstByte,
      },
      ports,
    );
    const found = await client.gizmo(id).catch(() => null);
    if (found === null) ports.log('warn', 'the description of a GPT could not be read', { gizmo: id });
    else await gizmos.set(found as v.InferOutput<typeof gizmoSchema>, settings.name, id);
    return found;
  };

  /** Brings the pictures and files of the messages to the upstream, and puts the payload together. */
  const payloadFor = async (
    call: Call,
    request: ChatRequest,
    { key, account }: Endpoint,
    client: Client,
    options: Parameters<typeof composeNext>[3],
    signal: AbortSignal,
  ) => {
    const messages = messagesIn(request);
    const contents = contentsOf(messages);
    const inputs = contents.flatMap((each) => each.inputs);
    if (inputs.length === 0) return composeNext(messages, contents, new Map(), options);
    const upload = createUploader(
      client,
      ports,
      { upstream: settings.name, keyHash: await hashOf(ports, `${key.key ?? ''}\n${account ?? ''}`) },
      upstreamMayName,
    );
    const attached = await attachAll(
      inputs,
      upload,
      {
        ports,
        fileStore,
        stem: linkStem(call.incoming, settings.publicUrl),
        uploadsFolder: await uploadsFolder(call.credentials, ports),
        allow: callersMayName,
        maxBytes: settings.maxFileBytes,
      },
      signal,
    );
    return composeNext(
      messages,
      contents,
      new Map(inputs.map((input, i) => [input, attached[i] as (typeof attached)[number]])),
      options,
    );
  };

  /** Waits for a place at the upstream, kept until the turn is over, or at the latest the request. Throws a 503 where there is none. */
  const takePlace = async (call: Call, signal: AbortSignal): Promise<Release> => {
    const { slots } = settings;
    if (!slots) return () => {};
    const release = slots.tryAcquire() ?? (await slots.acquire(signal));
    if (!release) throw atLimit();
    // An answer that nobody begins to read has no end of its own.
    call.whenOver(release);
    return release;
  };

  /** Asks for an answer by one way after the other, until one agrees to give it. */
  const begin = async (
    call: Call,
    request: ChatRequest,
    options: Parameters<typeof composeNext>[3],
    signal: AbortSignal,
  ): Promise<{ client: Client; first: Response }> => {
    const ways = upstreamHealth.order(waysFor(call));
    for (const [i, way] of ways.entries()) {
      try {
        const client = way.connect();
        const payload = await payloadFor(call, request, way, client, options, signal);
        const first = await client.conversation(payload, signal);
        upstreamHealth.report(way, 'ok');
        return { client, first };
      } catch (error) {
        if (signal.aborted) throw error;
        upstreamHealth.report(way, resultOf(error));
        if (!isRetryable(error) || i === ways.length - 1) throw error;
      }
    }
    throw new Failure('upstream_error', 'No way to ask the upstream is configured.');
  };

  return {
    kind: 'backend-api',
    name: settings.name,
    async chat(
      call: Call,
      request: ChatRequest,
      model: ConversationModel,
      signal: AbortSignal,
    ): Promise<SegmentStream> {
      const options = {
        model,
        gizmo: model.gizmo === null ? null : await describe(model.gizmo),
        historyDisabled: settings.historyDisabled,
        newId: () => crypto.randomUUID(),
        continueRounds: settings.continueRounds,
        allowActions: settings.alwaysAllowActions,
        hide: settings.hideConversations,
        idleSeconds: settings.timeouts.idle,
        stopWhenLeft: settings.whenCallerLeaves === 'cancel',
      };
      const leave = await takePlace(call, signal);
      const { client, first } = await begin(call, request, options, signal).catch((error: unknown) => {
        leave();
        throw error;
      });
      const reader = createTurnReader();
      const publisher = createPublisher(client, {
        ports,
        fileStore: settings.upstreamLinks ? null : fileStore,
        stem: linkStem(call.incoming, settings.publicUrl),
        r2Domain: settings.r2Domain,
        allow: upstreamMayName,
        maxBytes: settings.maxStoredBytes,
      });
      return {
        batches: redactErrors(
          followed(runTurn(first, reader, client, options, ports, signal), leave),
          client.redact,
        ),
        publish: (asset) => publisher.publish(asset, reader.state.conversationId),
        download: (asset) => publisher.download(asset, reader.state.conversationId),
      };
    },
  };
}

/** The same batches; calls back once there are no more, or nobody wants them. */
async function* followed<T>(batches: AsyncGenerator<T>, then: () => void): AsyncGenerator<T> {
  try {
    yield* batches;
  } finally {
    then();
  }
}
