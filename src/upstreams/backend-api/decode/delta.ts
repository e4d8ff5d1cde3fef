/**
 * A change to a document, as `delta_encoding: "v1"` sends it. What is absent is as in the delta
 * before.
 */
export type Delta = { readonly c?: number; readonly p?: string; readonly o?: string; readonly v?: unknown };

/** A document that deltas build: one for each channel `c`. */
export type Document = {
  message?: unknown;
  conversation_id?: unknown;
  error?: unknown;
  error_code?: unknown;
};

/**
 * What a delta did: the document as it is now, and the text if it only added to the end of a part.
 */
export type Applied = { readonly document: Document | null; readonly appended: string | null };

type Container = Record<string, unknown> | unknown[];

/** Deepest patch inside a patch, and deepest path: records have one patch and six steps. */
const [maxPatches, maxSteps] = [8, 64];

/**
 * Applies deltas. Wire facts, each from recorded streams: `c`, `p` and `o` are inherited from the
 * delta before, `v` never; a `patch` is a list of changes that inherit nothing and leave nothing
 * behind; list + list concatenates, object + object merges; `truncate` keeps the first `v`
 * characters or items. A value belongs to its document and is changed in place.
 */
export function createDeltaDecoder() {
  const documents = new Map<number, Document | null>();
  let channel = 0;
  let path = '';
  let operation = 'add';

  const change = (at: string, op: string, value: unknown, depth = 0): void => {
    if (op === 'patch') {
      if (depth >= maxPatches) return;
      for (const each of Array.isArray(value) ? (value as (Delta | null)[]) : []) {
        if (typeof each === 'object' && each !== null)
          change(at + (each.p ?? ''), each.o ?? 'add', each.v, depth + 1);
      }
      return;
    }
    if (at === '') {
      if (op === 'add' || op === 'replace')
        documents.set(channel, isObject(value) ? (value as Document) : null);
      else if (op === 'append' && isObject(value))
        documents.set(channel, merge((documents.get(channel) ?? {}) as Record<string, unknown>, value));
      return;
    }
    const root = documents.get(channel) ?? {};
    documents.set(channel, root);
    applyAt(root as Record<string, unknown>, tokensOf(at), op, value);
  };

  return {
    push(delta: Delta): Applied {
      channel = typeof delta.c === 'number' ? delta.c : channel;
      path = typeof delta.p === 'string' ? delta.p : path;
      operation = typeof delta.o === 'string' ? delta.o : operation;
      change(path, operation, delta.v);
      const isText = operation === 'append' && typeof delta.v === 'string' && textPath.test(path);
      return { document: documents.get(channel) ?? null, appended: isText ? (delta.v as string) : null };
    },
  };
}

const textPath = /^\/message\/content\/(parts\/\d+|text)$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The steps of a JSON Pointer (RFC 6901). */
function tokensOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

function applyAt(root: Record<string, unknown>, tokens: readonly string[], op: string, value: unknown): void {
  if (tokens.length > maxSteps || tokens.some((token) => forbidden.has(token))) return;
  let container: Container = root;
  for (const [i, token] of tokens.slice(0, -1).entries()) {
    let next: unknown = at(container, token);
    if (typeof next !== 'object' || next === null) {
      next = /^\d+$|^-$/.test(tokens[i + 1] ?? '') ? [] : {};
      put(container, token, next);
    }
    container = next as Container;
  }
  const key = tokens.at(-1) as string;
  switch (op) {
    case 'add':
      if (Array.isArray(container) && key !== '-') container.splice(Number(key), 0, value);
      else put(container, key, value);
      break;
    case 'replace':
      put(container, key, value);
      break;
    case 'remove':
      if (Array.isArray(container)) container.splice(Number(key), 1);
      else delete container[key];
      break;
    case 'append':
      put(container, key, appended(at(container, key), value));
      break;
    case 'truncate': {
      const old = at(container, key);
      if ((typeof old === 'string' || Array.isArray(old)) && typeof value === 'number')
        put(container, key, old.slice(0, value));
      break;
    }
  }
}

function at(container: Container, key: string): unknown {
  if (Array.isArray(container)) return container[Number(key)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

/** Lists grow by one at a time: a far index would make a list of holes. */
function put(container: Container, key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    container[key] = value;
    return;
  }
  const index = key === '-' ? container.length : Number(key);
  if (Number.isInteger(index) && index >= 0 && index <= container.length) container[index] = value;
}

/** Adds to a value in place: a list that grows item by item costs each item once. */
function appended(old: unknown, value: unknown): unknown {
  if (typeof old === 'string' && typeof value === 'string') return old + value;
  if (Array.isArray(old)) {
    if (Array.isArray(value)) for (const item of value) old.push(item);
    else old.push(value);
    return old;
  }
  if (isObject(old) && isObject(value)) return merge(old, value);
  return value;
}

/** Object keys are set as they are, never a prototype. */
function merge<T extends Record<string, unknown>>(target: T, more: Record<string, unknown>): T {
  for (const [key, value] of Object.entries(more))
    if (!forbidden.has(key)) (target as Record<string, unknown>)[key] = value;
  return target;
}
