import { Failure } from '../../http/failure.ts';
import { type Hints, noHints } from './hints.ts';
import type { Contents, Input } from './inputs.ts';
import { messagesOf } from './outgoing-messages.ts';
import type { SentMessage } from './reduce/echo.ts';
import type { Confirmation } from './turn.ts';
import type { Attached } from './upload.ts';

/** A chat request, as far as it is understood here. */
export type ChatRequest = Readonly<Record<string, unknown>>;

/** The model that a conversation is held with: a slug, or a GPT. */
export type ConversationModel = { readonly slug: string; readonly gizmo: string | null };

/** What does not depend on the messages of a conversation. */
export type ConversationOptions = {
  readonly model: ConversationModel;
  /** What the GPT is, where it is known. */
  readonly gizmo?: unknown;
  /** A temporary chat: nothing is kept, and it cannot be continued. */
  readonly historyDisabled: boolean;
  readonly newId: () => string;
  readonly hints?: Hints;
  /** What the form of the answer must be, in words; the model reads it last. */
  readonly instruction?: string | null;
};

type Payload = Readonly<Record<string, unknown>>;

type OutgoingMessage = {
  readonly id: string;
  readonly author: { readonly role: string };
  readonly content: { readonly content_type: string; readonly parts: readonly unknown[] };
  readonly metadata: Payload;
};

/** The messages of a request. Throws a 400 where there are none. */
export function messagesIn({ messages }: ChatRequest): readonly unknown[] {
  if (Array.isArray(messages) && messages.length > 0) return messages;
  throw new Failure('invalid_request', '"messages" must be a list of at least one message.', {
    param: 'messages',
  });
}

/**
 * The payload that asks for an answer to a list of messages; `attached` holds the pictures and
 * files of theirs that the upstream has.
 */
export function composeNext(
  messages: readonly unknown[],
  contents: readonly Contents[],
  attached: ReadonlyMap<Input, Attached | null>,
  options: ConversationOptions,
): Payload {
  const sent = messagesOf(messages, contents, attached, options.newId);
  const { instruction } = options;
  if (instruction) sent.splice(-1, 0, systemMessage(instruction, options.newId()));
  return {
    action: 'next',
    messages: withHints(sent, options.hints?.systemHints ?? []),
    parent_message_id: options.newId(),
    ...common(options),
  };
}

/** The messages of a payload, as the upstream may send them back. */
export function sentIn({ messages }: Payload): readonly SentMessage[] {
  return (Array.isArray(messages) ? (messages as OutgoingMessage[]) : []).map(({ id, author, content }) => ({
    id,
    role: author.role,
    text: content.parts.filter((part) => typeof part === 'string').join(''),
  }));
}

/** The payload that asks a cut answer to go on. */
export function composeContinue(
  conversationId: string,
  messageId: string,
  options: ConversationOptions,
): Payload {
  return {
    action: 'continue',
    conversation_id: conversationId,
    parent_message_id: messageId,
    ...common(options),
  };
}

/**
 * The payload that allows a GPT's action, from now on without a question; null if it says no way.
 */
export function composeConfirm(
  conversationId: string,
  { messageId, tool, body }: Confirmation,
  options: ConversationOptions,
): Payload | null {
  const offered = body.actions?.find(({ type }) => type === 'always_allow')?.always_allow;
  const once = body.actions?.find(({ type }) => type === 'allow')?.allow;
  const target = offered?.target_message_id ?? once?.target_message_id;
  if (target === undefined) return null;
  const data = offered?.operation_hash
    ? { type: 'always_allow', operation_hash: offered.operation_hash }
    : { type: 'allow' };
  return {
    action: 'next',
    messages: [
      {
        id: options.newId(),
        author: { role: 'tool', name: tool },
        content: { content_type: 'text', parts: [''] },
        recipient: 'all',
        metadata: { jit_plugin_data: { from_client: { user_action: { data, target_message_id: target } } } },
      },
    ],
    conversation_id: conversationId,
    parent_message_id: messageId,
    ...common(options),
  };
}

function systemMessage(text: string, id: string): Payload {
  return {
    id,
    author: { role: 'system' },
    content: { content_type: 'text', parts: [text] },
    metadata: {},
  };
}

/** The last message names the tools that are to be used, as the web app's does. */
function withHints(messages: readonly Payload[], hints: readonly string[]): readonly Payload[] {
  const last = messages.at(-1);
  if (hints.length === 0 || !last) return messages;
  const metadata = { ...(last.metadata as object), system_hints: hints };
  return [...messages.slice(0, -1), { ...last, metadata }];
}

function common({ model, gizmo, historyDisabled, hints = noHints }: ConversationOptions): Payload {
  return {
    ...(hints.effort === null ? {} : { thinking_effort: hints.effort }),
    ...(hints.systemHints.length === 0 ? {} : { system_hints: hints.systemHints }),
    model: model.slug,
    timezone_offset_min: 0,
    history_and_training_disabled: historyDisabled,
    conversation_mode: model.gizmo
      ? { kind: 'gizmo_interaction', gizmo_id: model.gizmo, ...(gizmo ? { gizmo } : {}) }
      : { kind: 'primary_assistant' },
    force_paragen: false,
    force_rate_limit: false,
    // If sockets are the default this asks for the plain stream; otherwise it is ignored.
    force_use_sse: true,
  };
}
