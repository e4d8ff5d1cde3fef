import { imageSize } from 'image-size';
import pLimit from 'p-limit';
import { safeFileName } from '../../files/file-name.ts';
import { type FileStore, idIn } from '../../files/file-store.ts';
import { endingOf, headBytes, isPicture, typeOf } from '../../files/file-type.ts';
import { Failure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import { fromBase64 } from '../../streams/bytes.ts';
import { readBody } from '../../streams/read-body.ts';
import { openAddress } from './fetch-input.ts';
import type { Input, Source } from './inputs.ts';
import type { Attached, createUploader, Outgoing } from './upload.ts';
import { useCaseOf } from './use-case.ts';

/** What is needed to get at the bytes of an input. */
export type AttachOptions = {
  readonly ports: Ports;
  readonly fileStore: FileStore | null;
  /** What the gateway's own links begin with, for this caller. */
  readonly stem: string;
  /** Where the files that this caller uploaded are kept. It also names the caller for limits. */
  readonly uploadsFolder: string;
  readonly allow: ReadonlySet<string>;
  readonly maxBytes: number;
  /** Throws if the upstream refuses the caller's key. Called before an address is fetched. */
  checkKey(signal: AbortSignal): Promise<void>;
};

/** The bytes of an input, and what is known about them. */
type FileBytes = { readonly bytes: Uint8Array; readonly type: string | null; readonly name: string | null };

/** An input whose bytes are not in memory yet, or only the first of them. */
type Opened = { read(): Promise<FileBytes>; cancel?(): void };

/** Longest time to read a file from the gateway's storage, in seconds. */
const readSeconds = 120;
/** Inputs of one request that are fetched and uploaded at once. */
const inputsAtOnce = 8;

/**
 * Brings the pictures and files of a request to the upstream. Throws a 400 that names the part that
 * cannot be fetched, is too large or is broken: the answer would be to another question without it.
 * An optional part that fails is null.
 */
export async function attachAll(
  inputs: readonly Input[],
  upload: ReturnType<typeof createUploader>,
  options: AttachOptions,
  signal: AbortSignal,
): Promise<readonly (Attached | null)[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const limit = pLimit(inputsAtOnce);
  let check: Promise<void> | undefined;
  const checkKey = (): Promise<void> => {
    check ??= options.checkKey(either);
    return check;
  };
  const attach = async (input: Input): Promise<Attached> => {
    if (either.aborted) throw abandoned();
    // A slow address does not hold a place in memory: only its first bytes are read here.
    const opened = await open(input, { ...options, checkKey }, either);
    return options.ports.tasks.limitMemory(async () => {
      if (either.aborted) {
        opened.cancel?.();
        throw abandoned();
      }
      return upload(await outgoing(input, await namingPart(input, opened.read)), either);
    }, options.uploadsFolder);
  };
  return Promise.all(
    inputs.map((input) =>
      limit(() => attach(input)).catch((error: unknown) => {
        if (input.isOptional && !either.aborted) return null;
        stop.abort();
        throw error;
      }),
    ),
  );
}

/** Names the part in an error, which becomes a 400 or 413: the request names a file that fails. */
async function namingPart<T>(input: Input, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(
      error.code === 'body_too_large' ? 'body_too_large' : 'invalid_request',
      `${input.param}: the picture or file could not be taken. ${error.message}`,
      { param: input.param, cause: error },
    );
  }
}

async function open(input: Input, options: AttachOptions, signal: AbortSignal): Promise<Opened> {
  const { source } = input;
  if (source.from !== 'url') return namingPart(input, () => openGiven(source, options));
  const { url } = source;
  const stored = await namingPart(input, () => openStored(options, ownId(url, options.stem)));
  if (stored) return stored;
  await options.checkKey(signal);
  return namingPart(input, () => openRemote(url, options, signal));
}

/** An input that the caller sent, now or before. */
async function openGiven(source: Exclude<Source, { from: 'url' }>, options: AttachOptions): Promise<Opened> {
  const { uploadsFolder, maxBytes } = options;
  switch (source.from) {
    case 'data':
      return {
        read: async () => ({ bytes: decodeBase64(source.base64, maxBytes), type: source.type, name: null }),
      };
    case 'bytes':
      if (source.bytes.length > maxBytes) throw tooLarge(maxBytes);
      return { read: async () => ({ bytes: source.bytes, type: source.type, name: null }) };
    case 'file': {
      const stored = await openStored(options, idIn(source.id.replace(/^file-/, '')), uploadsFolder);
      if (stored) return stored;
      throw new Failure(
        'invalid_request',
        `The file "${source.id.slice(0, 80)}" was not stored by this gateway with this key. Send the file itself as "file_data".`,
      );
    }
  }
}

async function openRemote(
  url: string,
  { ports, allow, maxBytes }: AttachOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const file = await openAddress(ports.http, url, {
    ...{ allow, maxBytes, signal },
    tooLarge: () => tooLarge(maxBytes),
  });
  return {
    read: async () => ({ bytes: await file.read(), type: file.type, name: null }),
    cancel: file.cancel,
  };
}

/** A file in the gateway's storage; null if there is none. It is opened when it is read. */
async function openStored(
  { fileStore, maxBytes }: AttachOptions,
  id: string | null,
  folder?: string,
): Promise<Opened | null> {
  if (id === null || !fileStore || !(await fileStore.head(id, folder))) return null;
  return {
    async read() {
      const file = await fileStore.get(id, undefined, folder);
      if (!file) throw new Failure('invalid_request', 'It was deleted.');
      const bytes = await readBody(
        file.body,
        { maxBytes, idleSeconds: 0, totalSeconds: readSeconds },
        (limit) =>
          limit === 'size'
            ? tooLarge(maxBytes)
            : new Failure('upstream_timeout', `It took longer than ${readSeconds} seconds.`),
      );
      return { bytes, type: file.type, name: file.fileName };
    },
  };
}

function abandoned(): Failure {
  return new Failure('invalid_request', 'The request ended before its pictures and files were uploaded.');
}

/** The id in one of the gateway's own links. They need no network, and may be private. */
function ownId(url: string, stem: string): string | null {
  if (!url.startsWith(`${stem}/`)) return null;
  const [, name] = /\/(?:images|files)\/([^/?#]+)$/.exec(url) ?? [];
  return name === undefined ? null : idIn(name);
}

function tooLarge(maxBytes: number): Failure {
  return new Failure(
    'body_too_large',
    `It is larger than ${maxBytes} bytes. MAX_FILE_BYTES at the gateway sets the limit.`,
  );
}

function decodeBase64(text: string, maxBytes: number): Uint8Array {
  if (text.length * 0.75 > maxBytes + 2) throw tooLarge(maxBytes);
  try {
    return fromBase64(text);
  } catch {
    throw new Failure('invalid_request', 'Its data is not base64.');
  }
}

/** An input as it is sent: its type, its name, and its size if it is a picture. */
async function outgoing(input: Input, { bytes, type: declared, name }: FileBytes): Promise<Outgoing> {
  if (bytes.length === 0) throw broken(input, 'It is empty.');
  const givenName = name ?? input.name;
  const type = await typeOf(bytes.subarray(0, headBytes), declared, givenName);
  if (input.isPicture === true && isUnseen(type))
    throw broken(
      input,
      `The model cannot see ${type}. Send JPEG, PNG, GIF or WebP, or send it as a file part.`,
    );
  const ending = await endingOf(type);
  const safe = safeFileName(givenName ?? '', isPicture(type) ? 'image' : 'file');
  const fileName = ending !== null && !/\.\w{1,12}$/.test(safe) ? `${safe}.${ending}` : safe;
  return { bytes, name: fileName, type, size: isPicture(type) ? sizeOf(input, bytes) : null };
}

/** Whether the model cannot see a type of picture, sound or film. */
function isUnseen(type: string): boolean {
  return /^(?:image|audio|video)\//.test(type) && useCaseOf(type) !== 'multimodal';
}

function sizeOf(input: Input, bytes: Uint8Array): { width: number; height: number } {
  try {
    const { width, height } = imageSize(bytes);
    if (width > 0 && height > 0) return { width, height };
  } catch {
    // A picture without a size is damaged, see below.
  }
  throw broken(input, 'The picture is damaged: its size cannot be read.');
}

function broken({ param }: Input, reason: string): Failure {
  return new Failure('invalid_request', `${param}: the picture or file could not be taken. ${reason}`, {
    param,
  });
}
