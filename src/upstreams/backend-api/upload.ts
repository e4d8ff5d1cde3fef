import * as v from 'valibot';
import { Failure } from '../../http/failure.ts';
import { guardedFetch } from '../../http/guarded-fetch.ts';
import { hashOf } from '../../ports/hash.ts';
import type { Ports } from '../../ports/ports.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import { sleep } from '../../streams/sleep.ts';
import type { Client } from './client.ts';
import { type UseCase, useCaseOf } from './use-case.ts';

/** A file to upload. */
export type Outgoing = {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly type: string;
  /** In pixels; null if it is no picture. */
  readonly size: { readonly width: number; readonly height: number } | null;
};

/** An uploaded file, as a message names it. */
export type Attached = Omit<Outgoing, 'bytes'> & {
  readonly id: string;
  readonly useCase: UseCase;
  readonly bytes: number;
};

/** How long the id of an upload is cached. */
const cacheSeconds = 7 * 86_400;
/** How often, and at which interval, we check whether the index of a document is ready. */
const indexTries = 30;
const indexEveryMs = 1000;
/** Longest time for the upload of one file, in seconds. */
const uploadSeconds = 300;

/**
 * Uploads files in the three steps that the upstream requires. A file that the account has already
 * is not sent again: its id is cached by upstream, account and content, and checked before use.
 */
export function createUploader(
  client: Client,
  ports: Ports,
  account: { readonly upstream: string; readonly keyHash: string },
  allow: ReadonlySet<string>,
) {
  const known = typedCache(
    ports,
    'upload',
    v.object({ id: v.pipe(v.string(), v.regex(/^[\w-]{1,200}$/)) }),
    cacheSeconds,
  );

  const send = async (file: Outgoing, useCase: UseCase, signal: AbortSignal): Promise<string> => {
    const announced = await client.announceFile(
      {
        file_name: file.name,
        file_size: file.bytes.length,
        use_case: useCase,
        timezone_offset_min: 0,
        reset_rate_limits: false,
        mime_type: file.type,
        ...(file.size ?? {}),
      },
      signal,
    );
    const put = await guardedFetch(
      ports.http,
      announced.uploadUrl,
      { allow, timeoutSeconds: uploadSeconds },
      {
        method: 'PUT',
        headers: { 'content-type': file.type, 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2020-04-08' },
        body: file.bytes,
        signal,
      },
    );
    // Not awaited: a body that is silent may not react.
    void put.body?.cancel().catch(() => {});
    if (!put.ok)
      throw new Failure(
        'upstream_error',
        `The upstream's file storage refused an upload (status ${put.status}).`,
      );
    await client.confirmFile(announced.id, signal);
    if (useCase === 'my_files') await waitForIndex(announced.id, signal);
    return announced.id;
  };

  /**
   * Waits until a document can be searched. If its index does not come in time, it is used without.
   */
  const waitForIndex = async (id: string, signal: AbortSignal): Promise<void> => {
    for (let i = 0; i < indexTries && !signal.aborted; i++) {
      const status = (await client.fileInfo(id, signal).catch(() => null))?.retrieval_index_status;
      if (typeof status !== 'string' || status === 'success' || status === 'failed') return;
      await sleep(indexEveryMs, signal);
    }
  };

  return async (file: Outgoing, signal: AbortSignal): Promise<Attached> => {
    const useCase = useCaseOf(file.type);
    const { bytes, ...description } = file;
    const attached = (id: string): Attached => ({ ...description, id, useCase, bytes: bytes.length });
    const name = [account.upstream, account.keyHash, useCase, await hashOf(ports, bytes)];
    const earlier = await known.get(...name);
    if (earlier && (await client.fileInfo(earlier.id, signal).catch(() => null))) return attached(earlier.id);
    const id = await send(file, useCase, signal);
    await known.set({ id }, ...name);
    return attached(id);
  };
}
