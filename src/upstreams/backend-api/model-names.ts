import type { ConversationModel } from './compose.ts';

/** The upstream's own names for what callers ask for. */
const slugs: Readonly<Record<string, string>> = {
  'gpt-4': 'gpt-4',
  'gpt-4-0613': 'gpt-4',
  'gpt-4-s': 'gpt-4',
  'gpt-4-vision-preview': 'gpt-4',
  'gpt-4-32k': 'gpt-4-mobile',
  'gpt-4-mobile': 'gpt-4-mobile',
  'dall-e-3': 'gpt-4-mobile',
  'gpt-3.5-turbo': 'text-davinci-002-render-sha',
  'gpt-4o': 'gpt-4o',
  'gpt-4o-mini': 'gpt-4o-mini',
  'o1-preview': 'o1-preview',
  'o1-mini': 'o1-mini',
};

/** Names that go to the conversation upstream even where an OpenAI-compatible one is set. */
const always = new Set(['gpt-4-s', 'gpt-4-mobile']);
const gizmoName = /^gpt-4-gizmo-(g-[\w-]+|[\w-]+)$/;

/** What a name means to the upstream; null for a name it does not know. */
export function conversationModel(name: string): ConversationModel | null {
  const gizmo = gizmoName.exec(name)?.[1];
  if (gizmo) return { slug: 'gpt-4-gizmo', gizmo: gizmo.startsWith('g-') ? gizmo : `g-${gizmo}` };
  const slug = Object.hasOwn(slugs, name) ? slugs[name] : undefined;
  return slug ? { slug, gizmo: null } : null;
}

export function isAlwaysConversation(name: string): boolean {
  return always.has(name) || gizmoName.test(name);
}

/** The names that are listed. */
export const conversationModelNames: readonly string[] = Object.keys(slugs);
