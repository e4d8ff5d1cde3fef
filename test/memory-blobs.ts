import type { BlobFacts, Blobs } from '../src/ports/blobs.ts';
import { checkKey } from '../src/ports/blobs.ts';

type Entry = BlobFacts & { readonly bytes: Uint8Array; storedAt: number };

/** Blobs in memory for tests, which may read and age its `entries`. */
export function createMemoryBlobs(): Blobs & { readonly entries: Map<string, Entry> } {
  const entries = new Map<string, Entry>();
  const stored = ({ bytes, ...facts }: Entry) => ({ ...facts, size: bytes.length });
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
      checkKey(key);
      const entry = entries.get(key);
      return entry ? stored(entry) : null;
    },
    async get(key, range) {
      checkKey(key);
      const entry = entries.get(key);
      if (!entry) return null;
      const { offset, length } = range ?? { offset: 0, length: entry.bytes.length };
      return { ...stored(entry), body: new Blob([entry.bytes.slice(offset, offset + length)]).stream() };
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
