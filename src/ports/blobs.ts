/** What is stored of a blob beside its bytes. */
export type BlobFacts = {
  /** Media type. */
  readonly type: string;
  /** A readable, safe name; null if there is none. */
  readonly fileName: string | null;
};

/** A stored blob: size in bytes, time in milliseconds since the epoch. */
export type StoredBlob = BlobFacts & { readonly size: number; readonly storedAt: number };

/** Part of a blob, in bytes. It must lie within the blob. */
export type ByteRange = { readonly offset: number; readonly length: number };

/** A blob in a list. Stores that list facts at no cost give them. */
export type ListedBlob = {
  readonly key: string;
  readonly size: number;
  readonly storedAt: number;
  readonly facts?: BlobFacts;
};

/**
 * Bytes that outlive a request: a folder, R2 or S3. Keys are made by us: segments of `a-z`, `0-9`
 * and `-` with slashes between them. The bytes under a key never change.
 */
export interface Blobs {
  /** Stores all of a body. If the body or the storage fails, it throws and nothing is stored. */
  put(key: string, body: AsyncIterable<Uint8Array>, facts: BlobFacts): Promise<void>;
  /** What is known of a blob; null if there is none. It asks the storage, not a memory of it. */
  head(key: string): Promise<StoredBlob | null>;
  /** A blob, or part of it; `size` is that of the whole. Null if there is none. */
  get(
    key: string,
    range?: ByteRange,
  ): Promise<(StoredBlob & { readonly body: ReadableStream<Uint8Array> }) | null>;
  /** Deletes blobs. A key without a blob is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** All blobs whose keys begin with the prefix, in any order. */
  list(prefix: string): AsyncIterable<ListedBlob>;
}

/** Throws if a key is not one of ours, before it gets near a path or an address. */
export function checkKey(key: string): void {
  if (!/^[a-z0-9-]+(?:\/[a-z0-9-]+)*$/.test(key) || key.length > 200)
    throw new TypeError('not a key of a blob');
}
