import type { FileStore } from '../files/file-store.ts';
import { Failure, wrongParameter } from '../http/failure.ts';
import type { BlobFacts, ListedBlob } from '../ports/blobs.ts';

/** Most files that one key may have. */
const maxFiles = 1000;

/** Files whose facts are read from the storage at once. */
const headsAtOnce = 16;

/** A file as the API lists it. */
type FileObject = Readonly<Record<string, unknown>>;

/** Throws a 507 if a key would have too many files, or too many bytes of them. */
export async function checkQuota(
  fileStore: FileStore,
  folder: string,
  bytes: number,
  maxBytes: number,
): Promise<void> {
  let total = bytes;
  let count = 1;
  for await (const { size } of fileStore.list(folder)) {
    total += size;
    count++;
    if (count > maxFiles)
      throw new Failure(
        'insufficient_storage',
        `This key has ${maxFiles} files already, the most that it may have. Delete some with DELETE /v1/files/{id}.`,
      );
    if (maxBytes > 0 && total > maxBytes) throw quotaExceeded(maxBytes);
  }
  if (maxBytes > 0 && total > maxBytes) throw quotaExceeded(maxBytes);
}

/** The list, newest first, in pages as the API has them: `limit`, `after`, `order`, `purpose`. */
export async function listFiles(
  fileStore: FileStore,
  folder: string,
  search: string,
): Promise<Record<string, unknown>> {
  const query = new URLSearchParams(search);
  const limit = limitIn(query.get('limit'));
  const purpose = query.get('purpose');
  const blobs: ListedBlob[] = [];
  for await (const blob of fileStore.list(folder)) {
    blobs.push(blob);
    if (blobs.length >= maxFiles) break;
  }
  const ascending = query.get('order') === 'asc';
  blobs.sort((a, b) => (ascending ? a.storedAt - b.storedAt : b.storedAt - a.storedAt));
  const idOf = ({ key }: ListedBlob): string => key.slice(folder.length + 1);
  const after = query.get('after')?.replace(/^file-/, '');
  const start = after === undefined ? 0 : blobs.findIndex((blob) => idOf(blob) === after) + 1;
  const all = purpose === null || purpose === 'user_data' ? blobs.slice(start) : [];
  const data = await mapInBatches(all.slice(0, limit), async (blob) => {
    const facts = blob.facts ?? (await fileStore.head(idOf(blob), folder));
    return facts && fileObject(idOf(blob), facts, blob);
  });
  const files = data.filter((file) => file !== null);
  return {
    object: 'list',
    data: files,
    first_id: files[0]?.id ?? null,
    last_id: files.at(-1)?.id ?? null,
    has_more: all.length > limit,
  };
}

async function mapInBatches<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += headsAtOnce)
    results.push(...(await Promise.all(items.slice(at, at + headsAtOnce).map(map))));
  return results;
}

function limitIn(text: string | null): number {
  if (text === null) return maxFiles;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000)
    throw wrongParameter('limit', 'must be a whole number from 1 to 10000');
  return limit;
}

/** The API's file object. Files that are stored here have one purpose: conversations. */
export function fileObject(
  id: string,
  { fileName }: BlobFacts,
  { size, storedAt }: Pick<ListedBlob, 'size' | 'storedAt'>,
): FileObject {
  return {
    id: `file-${id}`,
    object: 'file',
    bytes: size,
    created_at: Math.floor(storedAt / 1000),
    filename: fileName ?? 'file',
    purpose: 'user_data',
    status: 'processed',
  };
}

function quotaExceeded(maxBytes: number): Failure {
  return new Failure(
    'insufficient_storage',
    `The files of this key would take more than ${maxBytes} bytes, the limit of UPLOADED_BYTES at the gateway. Delete some with DELETE /v1/files/{id}.`,
  );
}
