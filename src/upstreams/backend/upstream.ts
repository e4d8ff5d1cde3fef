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
  /** Base address and prefix, without a slash at the end. */
  readonly base: string;
  /** Server-side keys, used in turn; empty where callers bring their own; null where none is needed. */
  readonly keys: readonly string[] | null;
  readonly firstByteTimeout: number;
  readonly idleTimeout: number;
  readonly continueRounds: number;
  readonly historyDisabled: boolean;
  readonly hideConversations: boolean;
  readonly alwaysAllowActions: boolean;
};

/** An upstream that holds conversations: it is asked, and answers in segments. */
export function createBackendUpstream(settings: BackendSettings, platform: Platform): BackendUpstream {
  let turn = 0;
  const serverKey = (keys: readonly string[] | null): string | null | undefined => {
    if (keys === null) return null;
    return keys.length > 0 ? keys[turn++ % keys.length] : undefined;
  };
  const clientFor = (call: Call) => {
    const { keys } = settings;
    const key = keyFor(call.credentials, serverKey(keys), `upstreams.${settings.name}.key`);
    const account = key.own ? (call.incoming.head.get('chatgpt-account-id') ?? null) : null;
    return createClient(
      { base: settings.base, key, account, firstByteSeconds: settings.firstByteTimeout },
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
