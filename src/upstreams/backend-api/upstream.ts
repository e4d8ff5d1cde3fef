import * as v from 'valibot';
import type { Call } from '../../call.ts';
import type { FileStore } from '../../files/file-store.ts';
import { uploadsFolder } from '../../files/uploads.ts';
import { Failure, toFailure } from '../../http/failure.ts';
import { hostAndPort } from '../../http/guarded-fetch.ts';
import { linkStem } from '../../http/public-url.ts';
import { jsonFormatOf } from '../../openai/json-format.ts';
import { hashOf } from '../../ports/hash.ts';
import type { Ports } from '../../ports/ports.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import { atLimit } from '../../relay/errors.ts';
import type { UpstreamHealth } from '../../relay/health.ts';
import type { Release } from '../../relay/semaphore.ts';
import { countFurtherAttempt } from '../attempts.ts';
import type { BackendUpstream, SegmentStream } from '../upstream.ts';
import { attachAll } from './attach.ts';
import type { BackendSettings } from './backend-settings.ts';
import type { ByteSource } from './byte-source.ts';
import { checkKey } from './check-key.ts';
import { type Client, createClient } from './client.ts';
import { type ChatRequest, type ConversationModel, composeNext, messagesIn, sentIn } from './compose.ts';
import { createEndpoints, type Endpoint, isRetryable, resultOf } from './endpoints.ts';
import { hintsIn, noHints } from './hints.ts';
import { contentsOf } from './inputs.ts';
import { createModelList } from './model-list.ts';
import { createPublisher } from './publish.ts';
import { redactErrors } from './redact-errors.ts';
import { runTurn } from './run-turn.ts';
import { openSource } from './source.ts';
import { createTurnReader } from './turn.ts';
import { createUploader } from './upload.ts';

/**
 * How long events of an answer that is not streamed gather, in milliseconds, if they gather at all.
 */
const wholeGatherMs = 1000;

/** How long the description of a GPT is cached, in seconds. */
const gizmoSeconds = 86_400;

const gizmoSchema = v.looseObject({ gizmo: v.looseObject({}) });

/** How long events gather. A reader that waits must not be taken for a silent upstream. */
function gatherMsOf(isStreamed: boolean, { coalesceMs = 0, timeouts }: BackendSettings): number {
  if (coalesceMs === 0) return 0;
  const ms = isStreamed ? coalesceMs : Math.max(coalesceMs, wholeGatherMs);
  return timeouts.idle > 0 ? Math.min(ms, timeouts.idle * 500) : ms;
}

/** An upstream that holds conversations. Its answers are read as segments. */
export function createBackendUpstream(
  settings: BackendSettings,
  ports: Ports,
  fileStore: FileStore | null,
  upstreamHealth: UpstreamHealth,
): BackendUpstream {
  const endpointsFor = createEndpoints(settings, ports);
  const gizmos = typedCache(ports, 'gizmo', gizmoSchema, gizmoSeconds);
  /** Private hosts that a caller may name. */
  const callersMayName = new Set(settings.fileFetchAllow);
  /** Private hosts that the upstream may name: also its own, which the owner configured. */
  const upstreamMayName = new Set([
    ...settings.fileFetchAllow,
    ...settings.bases.map((each) => hostAndPort(new URL(each))),
  ]);

  /**
   * What a GPT is, requested once; null if it cannot be known. Its conversations do not need it.
   */
  const describe = async (id: string): Promise<unknown> => {
    if (!settings.keyForGptsInfo) return null;
    const known = await gizmos.get(settings.name, id);
    if (known !== undefined) return known;
    const key = { key: settings.keyForGptsInfo, own: false };
    const client = createClient(
      { base: settings.bases[0] as string, key, account: null, timeouts: settings.timeouts },
      ports,
    );
    try {
      const gizmo = await client.gizmo(id);
      await gizmos.set(gizmo as v.InferOutput<typeof gizmoSchema>, settings.name, id);
      return gizmo;
    } catch (error) {
      const { message } = toFailure(error);
      ports.log('warn', 'the description of a GPT could not be read', { gizmo: id, error: message });
      return null;
    }
  };

  /** Whose files are uploaded: the cache tells accounts apart by it. */
  const ownerOf = async ({ key, account }: Pick<Endpoint, 'key' | 'account'>) => ({
    upstream: settings.name,
    keyHash: await hashOf(ports, `${key.key ?? ''}\n${account ?? ''}`),
  });

  /** Uploads the pictures and files of the messages, and composes the payload. */
  const payloadFor = async (
    call: Call,
    request: ChatRequest,
    { key, account }: Endpoint,
    client: Client,
    options: Parameters<typeof composeNext>[3],
    signal: AbortSignal,
  ) => {
    const messages = messagesIn(request);
    const stem = linkStem(call.incoming, settings.publicUrl);
    const contents = contentsOf(messages, fileStore ? stem : null);
    const inputs = contents.flatMap((each) => each.inputs);
    if (inputs.length === 0) return composeNext(messages, contents, new Map(), options);
    const owner = await ownerOf({ key, account });
    const upload = createUploader(client, ports, owner, upstreamMayName);
    const attached = await attachAll(
      inputs,
      upload,
      {
        ports,
        fileStore,
        stem,
        uploadsFolder: await uploadsFolder(call.credentials, ports),
        allow: callersMayName,
        maxBytes: settings.maxFileBytes,
        checkKey: async (until) => (key.own ? checkKey(client, ports, owner, until) : undefined),
      },
      signal,
    );
    return composeNext(
      messages,
      contents,
      new Map(inputs.map((input, i) => [input, attached[i] ?? null])),
      options,
    );
  };

  /**
   * Waits for a slot of the upstream, kept until the turn is over. Throws a 503 if there is none.
   */
  const acquireSlot = async (call: Call, signal: AbortSignal): Promise<Release> => {
    const { slots } = settings;
    if (!slots) return () => {};
    const release = slots.tryAcquire() ?? (await slots.acquire(signal));
    if (!release) throw atLimit();
    // An answer that is never read has no end of its turn.
    call.whenOver(release);
    return release;
  };

  /** Asks one endpoint after the other, until one agrees to give an answer. */
  const begin = async (
    call: Call,
    request: ChatRequest,
    options: Parameters<typeof composeNext>[3],
    gatherMs: number,
    signal: AbortSignal,
  ): Promise<{ client: Client; source: ByteSource; sent: ReturnType<typeof sentIn> }> => {
    const endpoints = upstreamHealth.order(endpointsFor(call));
    for (const [i, endpoint] of endpoints.entries()) {
      try {
        if (i > 0) countFurtherAttempt(call.record);
        const client = endpoint.connect();
        const payload = await payloadFor(call, request, endpoint, client, options, signal);
        const response = await client.conversation(payload, signal);
        const source = await openSource(
          response,
          client,
          { ports, allow: upstreamMayName, gatherMs },
          signal,
        );
        upstreamHealth.report(endpoint, 'ok');
        return { client, source, sent: sentIn(payload) };
      } catch (error) {
        if (signal.aborted) throw signal.reason instanceof Failure ? signal.reason : error;
        upstreamHealth.report(endpoint, resultOf(error));
        if (!isRetryable(error) || i === endpoints.length - 1) throw error;
      }
    }
    throw new Failure('upstream_error', 'No endpoint of the upstream is configured.');
  };

  return {
    kind: 'backend-api',
    name: settings.name,
    requiresKey: settings.keys?.length === 0 ? `upstreams.${settings.name}.key` : null,
    totalSeconds: settings.totalSeconds,
    models: createModelList(settings, endpointsFor, ports),
    async checkKey(call: Call): Promise<void> {
      const [endpoint] = endpointsFor(call);
      if (!endpoint?.key.own) return;
      await checkKey(endpoint.connect(), ports, await ownerOf(endpoint), call.incoming.signal);
    },
    async chat(
      call: Call,
      request: ChatRequest,
      model: ConversationModel,
      signal: AbortSignal,
    ): Promise<SegmentStream> {
      const leave = await acquireSlot(call, signal);
      try {
        const options = {
          model,
          gizmo: model.gizmo === null ? null : await describe(model.gizmo),
          historyDisabled: settings.historyDisabled,
          newId: () => crypto.randomUUID(),
          hints: settings.sendHints ? hintsIn(request) : noHints,
          instruction: jsonFormatOf(request)?.instruction ?? null,
          continueRounds: settings.continueRounds,
          allowActions: settings.alwaysAllowActions,
          allow: upstreamMayName,
          backgroundSeconds: settings.backgroundTimeout,
          gatherMs: gatherMsOf(request.stream === true, settings),
          hide: settings.hideConversations,
          idleSeconds: settings.timeouts.idle,
          stopWhenLeft: settings.whenCallerLeaves === 'cancel',
          onOver: leave,
        };
        const { client, source, sent } = await begin(call, request, options, options.gatherMs, signal);
        // JSON that was corrected in the middle would be invalid.
        const isWhole = request.stream !== true || jsonFormatOf(request) !== null;
        const reader = createTurnReader({ isWhole, sent });
        const publisher = createPublisher(client, {
          ports,
          fileStore: settings.upstreamLinks ? null : fileStore,
          stem: linkStem(call.incoming, settings.publicUrl),
          caller: await uploadsFolder(call.credentials, ports),
          r2Domain: settings.r2Domain,
          publicLink: settings.publicLink && ((url) => settings.publicLink?.(call, url) ?? url),
          allow: upstreamMayName,
          maxBytes: settings.maxStoredBytes,
          idleSeconds: settings.timeouts.idle,
        });
        return {
          batches: redactErrors(runTurn(source, reader, client, options, ports, signal), client.redact),
          publish: (asset, kind) => publisher.publish(asset, kind, reader.state.conversationId),
          download: (asset) => publisher.download(asset, reader.state.conversationId),
        };
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}
