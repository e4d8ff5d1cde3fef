import { keyFor } from '../../access/credentials.ts';
import type { Call } from '../../call.ts';
import { Failure } from '../../failure.ts';
import type { Platform } from '../../platform/platform.ts';
import type { Published } from '../../segments/writer.ts';
import type { BackendUpstream, Spoken } from '../upstream.ts';
import { createClient } from './client.ts';
import { type ChatRequest, type ConversationModel, composeNext } from './compose.ts';
import { converse } from './converse.ts';
import { createTurnReader } from './turn.ts';

export type BackendSettings = {
  readonly name: string;
  /** Base address and prefix, without a slash at the end; several are used in turn. */
  readonly bases: readonly string[];
  /** Server-side keys, used in turn; empty where callers bring their own; null where none is needed. */
  readonly keys: readonly string[] | null;
  readonly firstByteTimeout: number;
  readonly idleTimeout: number;
  readonly continueRounds: number;
  readonly historyDisabled: boolean;
  readonly hideConversations: boolean;
  readonly alwaysAllowActions: boolean;
  /** A key that may read what GPTs are. */
  readonly keyForGptsInfo?: string | undefined;
};

/** How many GPTs' descriptions are remembered. */
const maxGizmos = 200;

/** An upstream that holds conversations: it is asked, and answers in segments. */
export function createBackendUpstream(settings: BackendSettings, platform: Platform): BackendUpstream {
  let turn = 0;
  const serverKey = (keys: readonly string[] | null): string | null | undefined => {
    if (keys === null) return null;
    return keys.length > 0 ? keys[turn++ % keys.length] : undefined;
  };
  let base = 0;
  const baseInTurn = () => settings.bases[base++ % settings.bases.length] as string;
  const gizmos = new Map<string, unknown>();

  /** What a GPT is, asked for once; null where it may not be known, which its conversations do not need. */
  const describe = async (id: string): Promise<unknown> => {
    if (!settings.keyForGptsInfo) return null;
    const known = gizmos.get(id);
    if (known !== undefined) return known;
    const key = { key: settings.keyForGptsInfo, own: false };
    const client = createClient(
      { base: baseInTurn(), key, account: null, firstByteSeconds: settings.firstByteTimeout },
      platform,
    );
    const found = await client.gizmo(id).catch(() => null);
    if (found === null) platform.log('warn', 'the description of a GPT could not be read', { gizmo: id });
    else if (gizmos.size < maxGizmos) gizmos.set(id, found);
    return found;
  };

  const clientFor = (call: Call) => {
    const { keys } = settings;
    const key = keyFor(call.credentials, serverKey(keys), `upstreams.${settings.name}.key`);
    const account = key.own ? (call.incoming.head.get('chatgpt-account-id') ?? null) : null;
    return createClient(
      { base: baseInTurn(), key, account, firstByteSeconds: settings.firstByteTimeout },
      platform,
    );
  };

  return {
    kind: 'backend-api',
    name: settings.name,
    async chat(
      call: Call,
      request: ChatRequest,
      model: ConversationModel,
      signal: AbortSignal,
    ): Promise<Spoken> {
      const client = clientFor(call);
      const options = {
        model,
        gizmo: model.gizmo === null ? null : await describe(model.gizmo),
        historyDisabled: settings.historyDisabled,
        newId: () => crypto.randomUUID(),
        continueRounds: settings.continueRounds,
        allowActions: settings.alwaysAllowActions,
        hide: settings.hideConversations,
        idleSeconds: settings.idleTimeout,
      };
      const first = await client.conversation(composeNext(request, options), signal);
      const reader = createTurnReader();
      return {
        batches: converse(first, reader, client, options, platform, signal),
        async publish(asset): Promise<Published> {
          const { conversationId } = reader.state;
          if (asset.from === 'file')
            return { url: await client.fileUrl(asset.id, conversationId, asset.pointer) };
          if (conversationId === null) throw new Failure('upstream_error', 'it belongs to no conversation');
          return { url: await client.sandboxUrl(conversationId, asset.messageId, asset.path) };
        },
      };
    },
  };
}
