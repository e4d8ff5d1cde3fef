import { Failure } from '../http/failure.ts';

/** What a caller may reach with a server-side key. */
export type Scope = 'inference' | 'files' | 'billing' | 'all';

type Rule = { readonly scope: Scope; readonly methods: readonly string[] | null; readonly path: RegExp };

const read = ['GET', 'HEAD'];
const ask = ['POST'];

/**
 * What each scope reaches, as path segments after `/v1/`. Everything else needs `all`: the
 * organization, fine-tuning, assistants, stored completions, deleting models, and every path that
 * is not known here.
 */
const rules: readonly Rule[] = [
  { scope: 'inference', methods: read, path: /^models(?:\/|$)/ },
  {
    scope: 'inference',
    methods: ask,
    path: /^(?:chat\/completions|completions|embeddings|moderations|rerank)$/,
  },
  { scope: 'inference', methods: ask, path: /^engines\/[^/]+\/(?:completions|embeddings)$/ },
  { scope: 'inference', methods: ask, path: /^messages(?:\/count_tokens)?$/ },
  { scope: 'inference', methods: ask, path: /^images\/(?:generations|edits|variations)$/ },
  { scope: 'inference', methods: ask, path: /^audio\/(?:speech|transcriptions|translations)$/ },
  // A response or conversation is reached by its id, which only its caller knows. None of them is
  // listed.
  { scope: 'inference', methods: null, path: /^responses(?:\/|$)/ },
  { scope: 'inference', methods: ask, path: /^conversations$/ },
  { scope: 'inference', methods: null, path: /^conversations\/[^/]/ },
  { scope: 'inference', methods: null, path: /^realtime(?:\/|$)/ },
  { scope: 'files', methods: null, path: /^(?:files|uploads|vector_stores|batches)(?:\/|$)/ },
  { scope: 'billing', methods: read, path: /^dashboard\/billing(?:\/|$)/ },
];

/** Paths of the gateway itself. None of them is sent to an upstream. */
const ownPaths: ReadonlyMap<string, Scope> = new Map([
  ['/', 'inference'],
  ['/doctor/stream', 'inference'],
  ['/image/upload', 'files'],
]);

/** How often a path is decoded: an upstream may decode it more than once. */
const maxDecodings = 4;

/**
 * The scope that a request needs. `path` is the canonical path that is sent to the upstream. It is
 * read as the upstream may read it: decoded, without empty segments and repeated `/v1`.
 */
export function scopeOf(method: string, path: string): Scope {
  const own = ownPaths.get(path);
  if (own !== undefined) return own;
  const decoded = decodedPath(path);
  if (decoded === null) return 'all';
  const segments = decoded.split('/').filter((segment) => segment !== '');
  while (segments[0] === 'v1' || segments[0] === 'openai') segments.shift();
  const plain = segments.join('/');
  return (
    rules.find((rule) => (rule.methods === null || rule.methods.includes(method)) && rule.path.test(plain))
      ?.scope ?? 'all'
  );
}

/**
 * A path without escapes; null if it cannot be decoded, or if a part of it could mean another path.
 */
function decodedPath(path: string): string | null {
  let text = path;
  for (let i = 0; i < maxDecodings && text.includes('%'); i++) {
    try {
      text = decodeURIComponent(text);
    } catch {
      return null;
    }
  }
  return /[%;\\?#]|\/\.{1,2}(?:\/|$)/.test(text) ? null : text;
}

/** Refuses a request that the scopes do not allow, with a 403 that names the setting. */
export function requireScope(scopes: readonly Scope[], method: string, path: string): void {
  if (scopes.includes('all')) return;
  const needed = scopeOf(method, path);
  if (scopes.includes(needed)) return;
  throw new Failure(
    'scope_not_allowed',
    `This key may not call ${method} on this path: it needs the scope "${needed}" and has "${scopes.join('", "')}". The owner of the gateway sets ACCESS_SCOPES.`,
  );
}
