import * as v from 'valibot';
import { Failure } from '../http/failure.ts';
import type { Blobs, StoredBlob } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';
import { typedCache } from '../ports/typed-cache.ts';
import { concatBytes } from '../streams/read-all.ts';
import { readChunks } from '../streams/read-chunks.ts';
import { withTimeout } from '../streams/with-timeout.ts';
import { safeFileName } from './file-name.ts';
import { endingOf, headBytes, isPicture, typeOf } from './file-type.ts';

/** Something to keep: its bytes, and what is said of it by whoever gives it. */
export type Given = {
  readonly body: ReadableStream<Uint8Array>;
  readonly type: string | null;
  readonly name: string | null;
  /** Its length in bytes, where that was said. */
  readonly length: number | null;
};

/** What was kept, and where. */
export type Kept = { readonly id: string; readonly type: string; readonly fileName: string };

/** Seconds of silence after which a download is given up. */
const idleSeconds = 30;

/** How long it is remembered that bytes are stored already. */
const knownSeconds = 30 * 86_400;

/** Where pictures and files of answers are stored. */
export const mediaFolder = 'media';

/** Keeps what answers are made of beyond their text. The same bytes are stored once, each time under the name they got first. */
export function createFileStore(blobs: Blobs, ports: Pick<Ports, 'cache' | 'createHash' | 'log'>) {
  const known = typedCache(ports, 'stored', v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)), knownSeconds);

  return {
    /** Stores what it is given, at most `limit` bytes. Throws a 413 beyond, and a 503 where the storage fails; nothing is stored then. */
    async keep(given: Given, limit: number, folder = mediaFolder): Promise<Kept> {
      if (given.length !== null && given.length > limit) {
        await given.body.cancel();
        throw tooLarge(limit);
      }
      const chunks = readChunks(given.body)[Symbol.asyncIterator]();
      const head = await readHead(chunks);
      const type = await typeOf(concatBytes(head).subarray(0, headBytes), given.type, given.name);
      const fileName = await nameFor(given.name, type);
      const hash = ports.createHash();
      const id = newId();
      const key = `${folder}/${id}`;
      await blobs
        .put(key, measured(head, chunks, limit, hash), { type, fileName })
        .catch((error: unknown) => {
          // A storage that fails before it reads leaves the source open.
          void chunks.return?.().catch(() => {});
          throw storageFailure(error);
        });
      const digest = await hash.hex();
      const earlier = await known.get(folder, digest);
      if (earlier !== undefined && (await blobs.head(`${folder}/${earlier}`).catch(() => null))) {
        await blobs.delete([key]).catch(() => {});
        return { id: earlier, type, fileName };
      }
      await known.set(id, folder, digest);
      return { id, type, fileName };
    },
    head: (id: string, folder = mediaFolder): Promise<StoredBlob | null> => blobs.head(`${folder}/${id}`),
    get: (id: string, range?: { offset: number; length: number }, folder = mediaFolder) =>
      blobs.get(`${folder}/${id}`, range),
    delete: (id: string, folder = mediaFolder) => blobs.delete([`${folder}/${id}`]),
    list: (folder: string) => blobs.list(`${folder}/`),
  };
}

export type FileStore = ReturnType<typeof createFileStore>;

/** The path of a link to what was kept: pictures by their ending alone, files by their readable name. */
export function pathOf({ id, type, fileName }: Kept): string {
  if (isPicture(type)) return `/images/${id}${/\.\w+$/.exec(fileName)?.[0] ?? ''}`;
  return `/files/${id}-${encodeURIComponent(fileName)}`;
}

/** The id that a name in such a path begins with; what follows is for people. Null for any other name. */
export function idIn(name: string): string | null {
  return /^([0-9a-f]{32})(?:[.-]|$)/.exec(name)?.[1] ?? null;
}

/** 128 random bits. */
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

async function nameFor(name: string | null, type: string): Promise<string> {
  const ending = await endingOf(type);
  const safe = safeFileName(name ?? '', isPicture(type) ? 'image' : 'file');
  // A picture's ending tells what it is, whatever it was called.
  if (isPicture(type) && ending !== null && !safe.toLowerCase().endsWith(`.${ending}`))
    return `${safe.replace(/\.\w{1,5}$/, '')}.${ending}`;
  return ending !== null && !/\.\w{1,12}$/.test(safe) ? `${safe}.${ending}` : safe;
}

/** The first chunks of a body, enough to tell its type by, or all there are. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array[]> {
  const head: Uint8Array[] = [];
  for (let length = 0; length < headBytes; ) {
    const { done, value } = await withTimeout(chunks.next(), idleSeconds, silent).catch(brokeOff);
    if (done) break;
    head.push(value);
    length += value.length;
  }
  return head;
}

/** The whole body again, counted and hashed on its way. */
async function* measured(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  limit: number,
  hash: ReturnType<Ports['createHash']>,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  const taken = async (chunk: Uint8Array): Promise<Uint8Array> => {
    length += chunk.length;
    if (length > limit) throw tooLarge(limit);
    await hash.update(chunk);
    return chunk;
  };
  try {
    for (const chunk of head) yield await taken(chunk);
    for (;;) {
      const { done, value } = await withTimeout(rest.next(), idleSeconds, silent).catch(brokeOff);
      if (done) return;
      yield await taken(value);
    }
  } finally {
    // Not waited for: a source that is silent would not answer.
    void rest.return?.().catch(() => {});
  }
}

function silent(): Failure {
  return new Failure('upstream_timeout', `the download fell silent for ${idleSeconds} seconds`);
}

function brokeOff(error: unknown): never {
  throw error instanceof Failure
    ? error
    : new Failure('upstream_error', 'the download broke off', { cause: error });
}

function tooLarge(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The file is larger than ${limit} bytes, the most that the gateway takes.`,
  );
}

/** What a full disk or a missing right means to whoever asked. A body that broke on its way keeps its own error. */
function storageFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('unavailable', "the gateway's storage is full", { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Failure('unavailable', 'the gateway may not write to its DATA_DIR', { cause: error });
    default:
      return new Failure('unavailable', 'it could not be stored', { cause: error });
  }
}
