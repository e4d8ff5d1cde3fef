import * as v from 'valibot';
import { Failure } from '../http/failure.ts';
import type { Blobs, ByteRange, ListedBlob, StoredBlob } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';
import { typedCache } from '../ports/typed-cache.ts';
import { toHex } from '../streams/bytes.ts';
import { concatBytes } from '../streams/read-all.ts';
import { readChunks } from '../streams/read-chunks.ts';
import { measured, readHead } from './download.ts';
import { safeFileName } from './file-name.ts';
import { endingOf, headBytes, isPicture, typeOf } from './file-type.ts';
import { bodyTooLarge, readFailure, writeFailure } from './storage-failures.ts';

/** A file that is to be stored: its bytes, and what its sender says about it. */
export type FileSource = {
  readonly body: ReadableStream<Uint8Array>;
  readonly type: string | null;
  readonly name: string | null;
  /** Length in bytes; null if it is not known. */
  readonly length: number | null;
};

/** A stored file. */
export type StoredFile = { readonly id: string; readonly type: string; readonly fileName: string };

export type KeepOptions = {
  /** Default: the media folder. */
  readonly folder?: string;
  /** Whether the same bytes are stored only once in the folder. Default: true. */
  readonly shareEqual?: boolean;
  /** Throws if a file of this type may not be stored. It is called before anything is stored. */
  checkType?(type: string): void;
};

/** How long we remember that bytes are stored. */
const knownSeconds = 30 * 86_400;

/** The folder of pictures and files of responses. */
export const mediaFolder = 'media';

/**
 * Stores pictures and files. In the media folder the same bytes are stored once. Errors of the
 * storage are a 503 with Retry-After, or a 507 if it is full.
 */
export function createFileStore(blobs: Blobs, ports: Pick<Ports, 'cache' | 'createHash' | 'log'>) {
  const known = typedCache(ports, 'stored', v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)), knownSeconds);

  /** The id under which the same bytes are stored already. */
  const findEqual = async (folder: string, digest: string): Promise<string | null> => {
    const id = await known.get(folder, digest);
    if (id === undefined) return null;
    return (await blobs.head(`${folder}/${id}`).catch(() => null)) ? id : null;
  };

  /** The log gets the reason; the caller does not, since it may name a host. */
  const failRead = (error: unknown): never => {
    ports.log('warn', 'the storage of pictures and files failed', {
      error: error instanceof Error ? error.message : String(error),
    });
    throw readFailure(error);
  };

  return {
    /**
     * Stores a file of at most `limit` bytes. Throws a 413 if it is larger. After an error nothing
     * is stored.
     */
    async keep(source: FileSource, limit: number, options: KeepOptions = {}): Promise<StoredFile> {
      const { folder = mediaFolder, shareEqual = true } = options;
      if (source.length !== null && source.length > limit) {
        await source.body.cancel();
        throw bodyTooLarge(limit);
      }
      const chunks = readChunks(source.body)[Symbol.asyncIterator]();
      const leave = (): void => void chunks.return?.().catch(() => {});
      try {
        const head = await readHead(chunks);
        const type = await typeOf(concatBytes(head).subarray(0, headBytes), source.type, source.name);
        options.checkType?.(type);
        const fileName = await nameFor(source.name, type);
        const hash = shareEqual ? ports.createHash() : null;
        const id = newId();
        const key = `${folder}/${id}`;
        await blobs.put(key, measured(head, chunks, limit, hash), { type, fileName });
        if (!hash) return { id, type, fileName };
        const digest = await hash.hex();
        const equal = await findEqual(folder, digest);
        if (equal !== null) {
          await blobs.delete([key]).catch(() => {});
          return { id: equal, type, fileName };
        }
        await known.set(id, folder, digest);
        return { id, type, fileName };
      } catch (error) {
        // A storage that fails before it reads leaves the source open.
        leave();
        throw writeFailure(error);
      }
    },
    head: (id: string, folder = mediaFolder): Promise<StoredBlob | null> =>
      blobs.head(`${folder}/${id}`).catch(failRead),
    get: (id: string, range?: ByteRange, folder = mediaFolder) =>
      blobs.get(`${folder}/${id}`, range).catch(failRead),
    delete: (id: string, folder = mediaFolder) => blobs.delete([`${folder}/${id}`]).catch(failRead),
    async *list(folder: string): AsyncGenerator<ListedBlob> {
      try {
        yield* blobs.list(`${folder}/`);
      } catch (error) {
        failRead(error);
      }
    },
  };
}

export type FileStore = ReturnType<typeof createFileStore>;

/** A check for {@link KeepOptions}: throws a 415 for what browsers do not show as a picture. */
export function onlyPictures(type: string): void {
  if (!isPicture(type)) throw new Failure('unsupported_media_type', `it is not a picture, but ${type}`);
}

/** The path of a link to a stored file: a picture has only its ending, a file its readable name. */
export function pathOf({ id, type, fileName }: StoredFile): string {
  if (isPicture(type)) return `/images/${id}${/\.\w+$/.exec(fileName)?.[0] ?? ''}`;
  return `/files/${id}-${encodeURIComponent(fileName)}`;
}

/** The id at the start of a name in such a path; null for any other name. */
export function idIn(name: string): string | null {
  return /^([0-9a-f]{32})(?:[.-]|$)/.exec(name)?.[1] ?? null;
}

/** 128 random bits. */
function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}

async function nameFor(name: string | null, type: string): Promise<string> {
  const ending = await endingOf(type);
  const safe = safeFileName(name ?? '', isPicture(type) ? 'image' : 'file');
  // The ending of a picture tells its type, whatever its name said.
  if (isPicture(type) && ending !== null && !safe.toLowerCase().endsWith(`.${ending}`))
    return `${safe.replace(/\.\w{1,5}$/, '')}.${ending}`;
  return ending !== null && !/\.\w{1,12}$/.test(safe) ? `${safe}.${ending}` : safe;
}
