import type { Call } from '../call.ts';
import { type FileStore, idIn, pathOf } from '../files/file-store.ts';
import { isPicture } from '../files/file-type.ts';
import { uploadsFolder } from '../files/uploads.ts';
import { Failure } from '../http/failure.ts';
import { linkStem } from '../http/public-url.ts';
import type { StoredBlob } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';
import { json } from '../reply.ts';
import type { Settings } from '../settings/schema.ts';
import { readForm } from './form.ts';

type UploadSettings = Pick<Settings, 'publicUrl' | 'maxFileBytes' | 'maxBodyBytes' | 'accessKeys'>;

const maxListed = 10_000;

/**
 * `/v1/files` where no upstream has it: files are kept here, each key's apart, for use in a conversation by their id.
 */
export function createFiles(
  fileStore: FileStore | null,
  ports: Ports,
  settings: UploadSettings,
): (call: Call) => Promise<Response> {
  return async (call) => {
    if (!fileStore) throw noStorage();
    const folder = await uploadsFolder(call.credentials, ports);
    const [, , , name, content] = call.path.split('/');
    if (name === undefined || name === '') {
      if (call.method === 'POST') return upload(call, fileStore, folder, settings);
      if (call.method === 'GET') return list(fileStore, folder);
      throw notAllowed(call.method, 'GET, POST');
    }
    const id = idIn(name.replace(/^file-/, ''));
    const found = id === null ? null : await fileStore.head(id, folder);
    if (id === null || !found)
      throw new Failure('not_found', `No such file: "${name.slice(0, 80)}".`, { param: 'file_id' });
    if (call.method === 'DELETE' && content === undefined) {
      await fileStore.delete(id, folder);
      return json({ id: `file-${id}`, object: 'file', deleted: true });
    }
    if (call.method !== 'GET') throw notAllowed(call.method, content === undefined ? 'GET, DELETE' : 'GET');
    if (content === undefined) return json(described(id, found));
    if (content !== 'content') throw new Failure('not_found', 'There is nothing at this path.');
    const blob = await fileStore.get(id, undefined, folder);
    return new Response(blob?.body ?? null, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(found.size),
        'x-content-type-options': 'nosniff',
      },
    });
  };
}

async function upload(
  call: Call,
  fileStore: FileStore,
  folder: string,
  settings: UploadSettings,
): Promise<Response> {
  const form = await readForm(call, settings.maxBodyBytes);
  const file = form.get('file');
  if (!(file instanceof Blob))
    throw new Failure(
      'invalid_request',
      '"file" is missing: send it as a part of the form with a file name.',
      {
        param: 'file',
      },
    );
  const kept = await fileStore.keep(
    { body: file.stream(), type: file.type || null, name: file.name, length: file.size },
    settings.maxFileBytes,
    folder,
  );
  const found = await fileStore.head(kept.id, folder);
  if (!found) throw new Failure('unavailable', 'The file could not be stored. Try again.');
  return json(described(kept.id, { ...found, fileName: kept.fileName }));
}

async function list(fileStore: FileStore, folder: string): Promise<Response> {
  const data: Record<string, unknown>[] = [];
  for await (const { key } of fileStore.list(folder)) {
    const id = key.slice(folder.length + 1);
    const found = await fileStore.head(id, folder);
    if (found) data.push(described(id, found));
    if (data.length >= maxListed) break;
  }
  data.sort((a, b) => Number(b.created_at) - Number(a.created_at));
  return json({ object: 'list', data, has_more: false });
}

/** The API's file object. What is kept here has one purpose: to be sent into conversations. */
function described(id: string, { size, fileName, storedAt }: StoredBlob): Record<string, unknown> {
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

/**
 * `PUT /image/upload`: stores the picture that is the body and answers its link as text, as p2vapi does; here for holders of an access
 * key alone, since whoever may store here may publish here.
 */
export function createImageUpload(
  fileStore: FileStore | null,
  settings: UploadSettings,
): (call: Call) => Promise<Response> {
  return async (call) => {
    if (settings.accessKeys.length === 0)
      throw new Failure(
        'forbidden',
        'Uploading is off: it is for holders of an access key. Set ACCESS_KEYS at the gateway.',
      );
    if (!fileStore) throw noStorage();
    const body = call.incoming.stream();
    if (body === null)
      throw new Failure('invalid_request', 'The request has no body. Send the picture as it is.');
    const length = call.incoming.head.get('content-length');
    const kept = await fileStore.keep(
      {
        body,
        type: call.incoming.head.get('content-type') ?? null,
        name: null,
        length: length === undefined ? null : Number(length),
      },
      settings.maxFileBytes,
    );
    if (!isPicture(kept.type)) {
      await fileStore.delete(kept.id);
      throw new Failure(
        'unsupported_media_type',
        'The body is no picture. Send a PNG, JPEG, GIF, WebP, AVIF or BMP as it is.',
      );
    }
    return new Response(linkStem(call.incoming, settings.publicUrl) + pathOf(kept), {
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  };
}

function noStorage(): Failure {
  return new Failure(
    'unavailable',
    'This gateway has no place to store files. Bind an R2 bucket as BLOBS at the Worker.',
  );
}

function notAllowed(method: string, allow: string): Failure {
  return new Failure('method_not_allowed', `${method} is not possible here. This path takes ${allow}.`, {
    headers: { allow },
  });
}
