import { imageSize } from 'image-size';
import { safeFileName } from '../../files/file-name.ts';
import { type FileStore, idIn } from '../../files/file-store.ts';
import { endingOf, headBytes, isPicture, typeOf } from '../../files/file-type.ts';
import { Failure } from '../../http/failure.ts';
import { guardedFetch } from '../../http/guarded-fetch.ts';
import type { Ports } from '../../ports/ports.ts';
import { readAll } from '../../streams/read-all.ts';
import { withTimeout } from '../../streams/with-timeout.ts';
import type { Input } from './inputs.ts';
import type { Attached, createUploader, Outgoing } from './upload.ts';
import { useCaseOf } from './use-case.ts';

/** What is needed to get at the bytes of an input. */
export type AttachOptions = {
  readonly ports: Ports;
  readonly fileStore: FileStore | null;
  /** What the gateway's own links begin with, for this caller. */
  readonly stem: string;
  /** Where the files that this caller uploaded are kept. */
  readonly uploadsFolder: string;
  readonly allow: ReadonlySet<string>;
  readonly maxBytes: number;
};

type Fetched = { readonly bytes: Uint8Array; readonly type: string | null; readonly name: string | null };

const fetchSeconds = 30;
const readSeconds = 120;

/**
 * Brings the pictures and files of a request to the upstream. Throws a 400 that names the part which
 * is dead, too large or broken: without it the answer would be to another question. An optional part
 * that cannot be had is null.
 */
export async function attachAll(
  inputs: readonly Input[],
  upload: ReturnType<typeof createUploader>,
  options: AttachOptions,
  signal: AbortSignal,
): Promise<readonly (Attached | null)[]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  return Promise.all(
    inputs.map((input) =>
      options.ports.tasks
        .limitMemory(async () => {
          if (either.aborted) throw new Failure('invalid_request', 'given up');
          return upload(await outgoing(input, await fetched(input, options, either)), either);
        })
        .catch((error: unknown) => {
          if (input.isOptional && !either.aborted) return null;
          stop.abort();
          throw error;
        }),
    ),
  );
}

async function fetched(input: Input, options: AttachOptions, signal: AbortSignal): Promise<Fetched> {
  try {
    return await bytesOf(input, options, signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Whatever kept it away, the request names something that cannot be had.
    throw new Failure(
      error.code === 'body_too_large' ? 'body_too_large' : 'invalid_request',
      `${input.param}: the picture or file could not be taken. ${error.message}`,
      { param: input.param, cause: error },
    );
  }
}

async function bytesOf(
  { source }: Input,
  { ports, fileStore, stem, uploadsFolder, allow, maxBytes }: AttachOptions,
  signal: AbortSignal,
): Promise<Fetched> {
  if (source.from === 'data')
    return { bytes: decodeBase64(source.base64, maxBytes), type: source.type, name: null };
  if (source.from === 'bytes') {
    if (source.bytes.length > maxBytes) throw tooLarge(maxBytes);
    return { bytes: source.bytes, type: source.type, name: null };
  }
  if (source.from === 'file') {
    const id = idIn(source.id.replace(/^file-/, ''));
    const found = id === null ? null : await fileStore?.get(id, undefined, uploadsFolder);
    if (!found)
      throw new Failure(
        'invalid_request',
        `The file "${source.id.slice(0, 80)}" was not stored by this gateway with this key. Send the file itself as "file_data".`,
      );
    return { bytes: await bounded(found.body, maxBytes), type: found.type, name: found.fileName };
  }
  const own = ownId(source.url, stem);
  const kept = own === null ? null : await fileStore?.get(own);
  if (kept) return { bytes: await bounded(kept.body, maxBytes), type: kept.type, name: kept.fileName };
  const answer = await guardedFetch(
    ports.http,
    source.url,
    { allow, timeoutSeconds: fetchSeconds },
    { signal },
  );
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new Failure('invalid_request', `Its address answers with status ${answer.status}.`);
  }
  if (Number(answer.headers.get('content-length')) > maxBytes) {
    await answer.body?.cancel();
    throw tooLarge(maxBytes);
  }
  const bytes = await bounded(answer.body, maxBytes).catch((error: unknown) => {
    throw error instanceof Failure
      ? error
      : new Failure('invalid_request', 'It broke off.', { cause: error });
  });
  return { bytes, type: answer.headers.get('content-type'), name: null };
}

/** The id in one of the gateway's own links: they need no network, and may be private. */
function ownId(url: string, stem: string): string | null {
  if (!url.startsWith(`${stem}/`)) return null;
  const [, name] = /\/(?:images|files)\/([^/?#]+)$/.exec(url) ?? [];
  return name === undefined ? null : idIn(name);
}

function bounded(body: ReadableStream<Uint8Array> | null, maxBytes: number): Promise<Uint8Array> {
  return withTimeout(
    readAll(body, maxBytes, () => tooLarge(maxBytes)),
    readSeconds,
    () => new Failure('upstream_timeout', `It took longer than ${readSeconds} seconds.`),
  );
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
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch {
    throw new Failure('invalid_request', 'Its data is not base64.');
  }
}

/** An input as it is sent: what it is, what it is called, how large a picture it is. */
async function outgoing(input: Input, { bytes, type: declared, name }: Fetched): Promise<Outgoing> {
  if (bytes.length === 0) throw broken(input, 'It is empty.');
  const called = name ?? input.name;
  const type = await typeOf(bytes.subarray(0, headBytes), declared, called);
  if (input.isPicture === true && isUnseen(type))
    throw broken(
      input,
      `The model cannot see ${type}. Send JPEG, PNG, GIF or WebP, or send it as a file part.`,
    );
  const ending = await endingOf(type);
  const safe = safeFileName(called ?? '', isPicture(type) ? 'image' : 'file');
  const fileName = ending !== null && !/\.\w{1,12}$/.test(safe) ? `${safe}.${ending}` : safe;
  return { bytes, name: fileName, type, size: isPicture(type) ? sizeOf(input, bytes) : null };
}

/** Whether a type is a picture, or sound or film, that the model is not shown. */
function isUnseen(type: string): boolean {
  return /^(?:image|audio|video)\//.test(type) && useCaseOf(type) !== 'multimodal';
}

function sizeOf(input: Input, bytes: Uint8Array): { width: number; height: number } {
  try {
    const { width, height } = imageSize(bytes);
    if (width > 0 && height > 0) return { width, height };
  } catch {
    // Without a size it is damaged, see below.
  }
  throw broken(input, 'The picture is damaged: its size cannot be read.');
}

function broken({ param }: Input, reason: string): Failure {
  return new Failure('invalid_request', `${param}: the picture or file could not be taken. ${reason}`, {
    param,
  });
}
