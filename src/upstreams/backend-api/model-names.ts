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
  'gpt-image-1': 'auto',
  auto: 'auto',
  'gpt-3.5-turbo': 'text-davinci-002-render-sha',
  'gpt-4o': 'gpt-4o',
  'gpt-4o-mini': 'gpt-4o-mini',
  'o1-preview': 'o1-preview',
  'o1-mini': 'o1-mini',
};

/** Names that go to the conversation upstream even if an OpenAI-compatible one is set. */
const always = new Set(['gpt-4-s', 'gpt-4-mobile']);
const gizmoName = /^gpt-4-gizmo-(g-[\w-]+|[\w-]+)$/;

/** Models that only draw: a conversation with the upstream's own choice of model draws. */
const imageModel = /^gpt-image-[\w.-]{1,40}$/;

/**
 * What a name means to the upstream; null for a name it does not know. `listed` holds the slugs
 * that the upstream itself lists: each of them goes as it is.
 */
export function conversationModel(
  name: string,
  listed: ReadonlySet<string> = new Set(),
): ConversationModel | null {
  const gizmo = gizmoName.exec(name)?.[1];
  if (gizmo) return { slug: 'gpt-4-gizmo', gizmo: gizmo.startsWith('g-') ? gizmo : `g-${gizmo}` };
  if (listed.has(name)) return { slug: name, gizmo: null };
  const slug = Object.hasOwn(slugs, name) ? slugs[name] : imageModel.test(name) ? 'auto' : undefined;
  return slug ? { slug, gizmo: null } : null;
}

export function isAlwaysConversation(name: string): boolean {
  return always.has(name) || gizmoName.test(name);
}

/** The names that are listed. */
export const conversationModelNames: readonly string[] = Object.keys(slugs);

/** The slugs in an upstream's own list of models, each once. */
export function slugsIn(list: unknown): readonly string[] {
  const { models } = (typeof list === 'object' && list !== null ? list : {}) as { models?: unknown };
  const slugs = (Array.isArray(models) ? models : []).map(
    (model) => (model as { slug?: unknown } | null)?.slug,
  );
  const isSlug = (slug: unknown): slug is string => typeof slug === 'string' && /^[\w.:-]{1,100}$/.test(slug);
  return [...new Set(slugs.filter(isSlug))];
}

/** Longest name that is compared with others, in characters. */
const longestName = 64;

/** The names that are most like one that is not known: at most three, the nearest first. */
export function nearestNames(name: string, names: readonly string[]): readonly string[] {
  if (name.length > longestName) return [];
  const wanted = name.toLowerCase();
  return names
    .filter((each) => each.length <= longestName)
    .map((each) => ({ each, distance: distanceBetween(wanted, each.toLowerCase()) }))
    .filter(({ each, distance }) => distance <= Math.max(2, Math.floor(each.length / 3)))
    .sort((a, b) => a.distance - b.distance || a.each.localeCompare(b.each))
    .slice(0, 3)
    .map(({ each }) => each);
}

/** How many characters must be added, left out or changed (Levenshtein). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
