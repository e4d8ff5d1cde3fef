import type { Message } from '../decode/message.ts';

/** What a message is to a reader. */
export type Role =
  | { readonly as: 'answer' }
  | { readonly as: 'reasoning' }
  | { readonly as: 'code'; readonly language: string }
  | { readonly as: 'output' }
  | { readonly as: 'search' }
  | { readonly as: 'pictures' }
  | { readonly as: 'document' }
  | { readonly as: 'confirmation' }
  | { readonly as: 'nothing' };

const nothing: Role = { as: 'nothing' };

/** Tools whose calls are their own affair: memory, and pictures that are shown when they are there. */
const silentTools = /^(bio|dalle\.|t2uay3k\.|image_gen\.|assistant$)/;
const searchTools = /^(browser|web|web\.run|file_search|myfiles_browser|msearch|mclick)$/;
const canvas = /^canmore\./;

/**
 * Sorts a message by role, recipient, content and channel. The rule for the answer itself: the assistant, to all, as text, not
 * hidden, on no channel or the final one. Nothing of a system, user or developer message is ever shown.
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
  if (type === 'code') return { as: 'code', language: languageOf(message, 'text') };
  if (type !== 'text' && type !== 'multimodal_text') return nothing;
  const aside =
    (channel !== undefined && channel !== null && channel !== 'final') ||
    metadata?.is_thinking_preamble_message === true;
  return aside ? { as: 'reasoning' } : { as: 'answer' };
}

function ofCall(recipient: string, message: Message): Role {
  if (silentTools.test(recipient)) return nothing;
  if (canvas.test(recipient)) return { as: 'document' };
  if (searchTools.test(recipient)) return { as: 'search' };
  const base =
    recipient === 'container.exec'
      ? 'sh'
      : recipient.includes('__jit_plugin')
        ? 'json'
        : (/^[a-z]\w*/i.exec(recipient)?.[0] ?? 'text');
  return { as: 'code', language: languageOf(message, base) };
}

function ofTool(message: Message): Role {
  const name = message.author?.name ?? '';
  const type = message.content?.content_type;
  const asked = message.metadata?.jit_plugin_data?.from_server;
  if (asked?.type === 'confirm_action' || asked?.type === 'oauth_required') return { as: 'confirmation' };
  if (type === 'execution_output' || type === 'system_error') return { as: 'output' };
  if (type === 'multimodal_text') return { as: 'pictures' };
  if (
    searchTools.test(name) ||
    type === 'tether_quote' ||
    type === 'tether_browsing_display' ||
    type === 'sonic_webpage'
  )
    return { as: 'search' };
  if (name === 'a8km123') return { as: 'reasoning' };
  if (name.includes('__jit_plugin')) return { as: 'output' };
  return nothing;
}

function languageOf(message: Message, otherwise: string): string {
  const language = message.content?.language;
  return language && language !== 'unknown' && /^[\w+#-]+$/.test(language) ? language : otherwise;
}
