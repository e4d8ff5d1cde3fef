import type { BlobFacts, Blobs } from '../src/ports/blobs.ts';
import { checkKey } from '../src/ports/blobs.ts';

type Entry = BlobFacts & { readonly bytes: Uint8Array; storedAt: number };

/** Blobs in memory, for tests of what is built on them; `entries` may be looked into and aged. */
export function createMemoryBlobs(): Blobs & { readonly entries: Map<string, Entry> } {
  const entries = new Map<string, Entry>();
  const told = ({ bytes, ...facts }: Entry) => ({ ...facts, size: bytes.length });
  return {
    entries,
    async put(key, body, facts) {
      checkKey(key);
      const chunks: BlobPart[] = [];
      for await (const chunk of body) chunks.push(chunk.slice());
      const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
      entries.set(key, { ...facts, bytes, storedAt: Date.now() });
    },
    async head(key) {
      const found = entries.get(key);
      return found ? told(found) : null;
    },
    async get(key, range) {
      const found = entries.get(key);
      if (!found) return null;
      const { offset, length } = range ?? { offset: 0, length: found.bytes.length };
      return { ...told(found), body: new Blob([found.bytes.slice(offset, offset + length)]).stream() };
    },
    async delete(keys) {
      for (const key of keys) entries.delete(key);
    },
    async *list(prefix) {
      for (const [key, entry] of [...entries])
        if (key.startsWith(prefix)) yield { key, size: entry.bytes.length, storedAt: entry.storedAt };
    },
  };
}
