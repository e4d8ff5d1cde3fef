import type { Message } from '../decode/message.ts';

/** What a message is to a reader. `isPrivate`: it belongs to the model's thinking. */
export type Role =
  | { readonly as: 'answer' }
  | { readonly as: 'reasoning' }
  | { readonly as: 'code'; readonly language: string; readonly isPrivate: boolean }
  | { readonly as: 'output'; readonly isPrivate: boolean }
  | { readonly as: 'search' }
  | { readonly as: 'pictures' }
  | { readonly as: 'document' }
  | { readonly as: 'confirmation' }
  /** A call of a tool that is not code: JSON for a program. */
  | { readonly as: 'call' }
  /** Words of a tool that count if the assistant says nothing. */
  | { readonly as: 'words' }
  | { readonly as: 'nothing' };

const nothing: Role = { as: 'nothing' };

/** Tools that draw; newer ones have opaque names. */
export const drawingTools = /^(?:dalle|t2uay3k|image_gen)(?:\.|$)/;
/** Tools whose calls are their own affair. */
const silentTools = /^(?:bio|assistant)(?:\.|$)/;
/** Tools that search, by their name alone or followed by what they do. */
const searchTools = /^(?:browser|web|file_search|myfiles_browser|msearch|mclick)(?:\.|$)/;
/** Tools whose calls are code that a reader may want to see. */
const codeTools = /^(?:python|python_user_visible|container)(?:\.|$)|__jit_plugin/;
const canvas = /^canmore\./;

/**
 * Sorts a message by role, recipient, content and channel. The rule for the answer itself: the
 * assistant, to all, as text, not hidden, on no channel or the final one. Nothing of a system,
 * user or developer message is ever shown.
 */
export function classifyMessage(message: Message): Role {
  const { metadata, channel } = message;
  if (metadata?.is_visually_hidden_from_conversation === true) return nothing;
  if (message.author?.role === 'tool') return ofTool(message);
  if (message.author?.role !== 'assistant') return nothing;
  const type = message.content?.content_type;
  const recipient = message.recipient ?? 'all';
  if (recipient !== 'all') return ofCall(recipient, message);
  if (type === 'thoughts') return { as: 'reasoning' };
  if (type === 'code')
    return { as: 'code', language: languageOf(message, 'text'), isPrivate: isPrivate(message) };
  if (type !== 'text' && type !== 'multimodal_text') return nothing;
  const isAside =
    (channel !== undefined && channel !== null && channel !== 'final') ||
    metadata?.is_thinking_preamble_message === true;
  return isAside ? { as: 'reasoning' } : { as: 'answer' };
}

function ofCall(recipient: string, message: Message): Role {
  if (silentTools.test(recipient)) return nothing;
  if (drawingTools.test(recipient)) return { as: 'call' };
  if (canvas.test(recipient)) return { as: 'document' };
  if (searchTools.test(recipient)) return { as: 'search' };
  if (!codeTools.test(recipient)) return { as: 'call' };
  const base = recipient.startsWith('container')
    ? 'sh'
    : recipient.includes('__jit_plugin')
      ? 'json'
      : 'python';
  return { as: 'code', language: languageOf(message, base), isPrivate: isPrivate(message) };
}

function ofTool(message: Message): Role {
  const name = message.author?.name ?? '';
  const type = message.content?.content_type;
  const request = message.metadata?.jit_plugin_data?.from_server;
  if (request?.type === 'confirm_action' || request?.type === 'oauth_required') return { as: 'confirmation' };
  if (type === 'execution_output' || type === 'system_error')
    return { as: 'output', isPrivate: isPrivate(message) };
  if (type === 'multimodal_text') return { as: 'pictures' };
  if (
    searchTools.test(name) ||
    type === 'tether_quote' ||
    type === 'tether_browsing_display' ||
    type === 'sonic_webpage'
  )
    return { as: 'search' };
  if (name === 'a8km123') return { as: 'reasoning' };
  if (name.includes('__jit_plugin') || name.startsWith('container.'))
    return { as: 'output', isPrivate: isPrivate(message) };
  return isWords(message, name) ? { as: 'words' } : nothing;
}

/** A tool that draws declines in words; one that ends the turn speaks for the assistant. */
function isWords({ content, metadata, recipient, end_turn }: Message, name: string): boolean {
  if (content?.content_type !== 'text' || (recipient ?? 'all') !== 'all') return false;
  if (silentTools.test(name) || canvas.test(name) || name.startsWith('dalle.')) return false;
  const isJob =
    metadata?.image_gen_task_id !== undefined ||
    metadata?.image_gen_async === true ||
    metadata?.ui_card_title !== undefined ||
    metadata?.ui_card !== undefined;
  return !isJob && (drawingTools.test(name) || end_turn === true || name.includes('clarify'));
}

function isPrivate({ channel, metadata }: Message): boolean {
  return channel === 'analysis' || metadata?.is_visually_hidden_reasoning_group === true;
}

function languageOf(message: Message, otherwise: string): string {
  const language = message.content?.language;
  return language && language !== 'unknown' && /^[\w+#-]+$/.test(language) ? language : otherwise;
}
