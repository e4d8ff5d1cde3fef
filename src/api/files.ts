import type { Call } from '../call.ts';
import { maxGivenName } from '../files/file-name.ts';
import { type FileStore, idIn, onlyPictures, pathOf } from '../files/file-store.ts';
import { uploadsFolder } from '../files/uploads.ts';
import { Failure, wrongParameter } from '../http/failure.ts';
import { linkStem } from '../http/public-url.ts';
import type { Ports } from '../ports/ports.ts';
import { json } from '../reply.ts';
import type { Settings } from '../settings/schema.ts';
import { checkQuota, fileObject, listFiles } from './file-objects.ts';
import { readForm } from './form.ts';

type UploadSettings = Pick<
  Settings,
  'publicUrl' | 'maxFileBytes' | 'maxBodyBytes' | 'accessKeys' | 'uploadedBytes'
>;

/** `/v1/files` if no upstream has it: files of each key apart, for conversations to name by id. */
export function createFiles(
  fileStore: FileStore | null,
  ports: Ports,
  settings: UploadSettings,
): (call: Call) => Promise<Response> {
  return async (call) => {
    const { accessKey, ownKey, openaiKey } = call.credentials;
    if ((accessKey ?? ownKey ?? openaiKey) === null) throw keyRequired();
    if (!fileStore) throw noStorage();
    const folder = await uploadsFolder(call.credentials, ports);
    const [, , , name, content] = call.path.split('/');
    if (name === undefined || name === '') {
      if (call.method === 'POST') return upload(call, fileStore, folder, settings);
      if (call.method === 'GET') return json(await listFiles(fileStore, folder, call.search));
      throw notAllowed(call.method, 'GET, POST');
    }
    const id = idIn(name.replace(/^file-/, ''));
    const file = id === null ? null : await fileStore.head(id, folder);
    if (id === null || !file) throw noSuchFile(name);
    if (call.method === 'DELETE' && content === undefined) {
      await fileStore.delete(id, folder);
      return json({ id: `file-${id}`, object: 'file', deleted: true });
    }
    if (call.method !== 'GET') throw notAllowed(call.method, content === undefined ? 'GET, DELETE' : 'GET');
    if (content === undefined) return json(fileObject(id, file, file));
    if (content !== 'content') throw new Failure('not_found', 'There is nothing at this path.');
    const blob = await fileStore.get(id, undefined, folder);
    if (!blob) throw noSuchFile(name);
    return new Response(blob.body, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(blob.size),
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
      { param: 'file' },
    );
  if (file.name.length > maxGivenName)
    throw wrongParameter('file', `has a name of more than ${maxGivenName} characters`);
  await checkQuota(fileStore, folder, file.size, settings.uploadedBytes);
  const { id } = await fileStore.keep(
    { body: file.stream(), type: file.type || null, name: file.name, length: file.size },
    settings.maxFileBytes,
    // Equal files of one key are two files: to delete one must not delete the other.
    { folder, shareEqual: false },
  );
  const stored = await fileStore.head(id, folder);
  if (!stored) throw new Failure('unavailable', 'The file could not be stored. Try again.');
  return json(fileObject(id, stored, stored));
}

/**
 * `PUT /image/upload`: stores the picture that is the body and answers with its link as text, as
 * p2vapi does. Only for holders of an access key: who may store here may publish here.
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
    const file = await fileStore
      .keep(
        {
          body,
          type: call.incoming.head.get('content-type') ?? null,
          name: null,
          length: length === undefined ? null : Number(length),
        },
        settings.maxFileBytes,
        { checkType: onlyPictures },
      )
      .catch((error: unknown) => {
        throw error instanceof Failure && error.code === 'unsupported_media_type' ? noPicture() : error;
      });
    return new Response(linkStem(call.incoming, settings.publicUrl) + pathOf(file), {
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  };
}

function keyRequired(): Failure {
  return new Failure(
    'invalid_api_key',
    'A key is required: files belong to the key that uploaded them. Send "Authorization: Bearer ..." with your key.',
  );
}

function noSuchFile(name: string): Failure {
  return new Failure('not_found', `No such file: "${name.slice(0, 80)}".`, { param: 'file_id' });
}

function noPicture(): Failure {
  return new Failure(
    'unsupported_media_type',
    'The body is not a picture. Send a PNG, JPEG, GIF, WebP, AVIF or BMP as it is.',
  );
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
