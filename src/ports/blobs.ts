/** What is kept of a blob beside its bytes. */
export type BlobFacts = {
  /** Media type. */
  readonly type: string;
  /** A readable name, already safe; null where there is none. */
  readonly fileName: string | null;
};

/** A blob as it is stored: size in bytes, time in milliseconds since the epoch. */
export type StoredBlob = BlobFacts & { readonly size: number; readonly storedAt: number };

/** Part of a blob, in bytes. It must lie within the blob. */
export type ByteRange = { readonly offset: number; readonly length: number };

/** A blob as it is listed. */
export type ListedBlob = { readonly key: string; readonly size: number; readonly storedAt: number };

/**
 * Bytes that outlive a request: a folder, R2 or S3. Keys are made here: segments of `a-z`, `0-9` and `-`, with slashes
 * between them. What is under a key never changes.
 */
export interface Blobs {
  /** Stores a body, all of it or nothing: where the body breaks, or the storage fails, nothing is there, and it throws. */
  put(key: string, body: AsyncIterable<Uint8Array>, facts: BlobFacts): Promise<void>;
  /** What is known of a blob; null where there is none. */
  head(key: string): Promise<StoredBlob | null>;
  /** A blob, or part of it; `size` is that of the whole. Null where there is none. */
  get(
    key: string,
    range?: ByteRange,
  ): Promise<(StoredBlob & { readonly body: ReadableStream<Uint8Array> }) | null>;
  /** Forgets blobs; those that are not there are no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** All blobs whose keys begin with the prefix, in no order. */
  list(prefix: string): AsyncIterable<ListedBlob>;
}

/** Throws where a key is none of ours, before it gets near a path or an address. */
export function checkKey(key: string): void {
  if (!/^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/.test(key) || key.length > 200)
    throw new TypeError('not a key of a blob');
}
