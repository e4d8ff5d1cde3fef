import { type FileStore, mediaFolder, onlyPictures, pathOf } from '../../files/file-store.ts';
import { Failure } from '../../http/failure.ts';
import { guardedFetch } from '../../http/guarded-fetch.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AssetRef } from '../../segments/segment.ts';
import type { Published } from '../../segments/writer.ts';
import { limitTransfer } from '../../streams/limit-transfer.ts';
import type { Client, Located } from './client.ts';

export type PublishOptions = {
  readonly ports: Ports;
  /** Null if nothing is stored: links of the upstream go to the caller. */
  readonly fileStore: FileStore | null;
  readonly stem: string;
  /** A hash that names the caller for limits. */
  readonly caller: string;
  readonly r2Domain: string | undefined;
  /** Rewrites the upstream's own links, if callers cannot reach them as they are. */
  readonly publicLink?: ((url: string) => string) | undefined;
  /** Private hosts, as `host:port`, that files may come from. */
  readonly allow: ReadonlySet<string>;
  readonly maxBytes: number;
  /** Longest silence in a file, in seconds; 0 for no limit. */
  readonly idleSeconds: number;
};

/** A response with an asset's bytes, and whether its address opens without the upstream's key. */
type OpenedAsset = { readonly response: Response; readonly isPublic: boolean };

/** Longest wait for the head of a file, redirects included, in seconds. */
const headSeconds = 60;
/** Any file may take this long, and one second more for each of these bytes. */
const graceSeconds = 60;
const bytesPerSecond = 100_000;

/** Turns the assets of an answer into links: fetched from the upstream, stored, and served here. */
export function createPublisher(client: Client, options: PublishOptions) {
  const { ports, fileStore, allow, maxBytes, idleSeconds } = options;

  const locate = (asset: AssetRef, conversationId: string | null): Promise<Located> => {
    if (asset.from === 'file') return client.locateFile(asset.id, conversationId, asset.pointer);
    if (conversationId === null) throw new Failure('upstream_error', 'it belongs to no conversation');
    return client.locateSandbox(conversationId, asset.messageId, asset.path);
  };

  const open = async ({ url }: Located): Promise<OpenedAsset> => {
    const response = await guardedFetch(ports.http, url, { allow, timeoutSeconds: headSeconds });
    if (response.ok) return { response, isPublic: true };
    void response.body?.cancel().catch(() => {});
    // Newer upstreams serve files themselves, and require the key.
    const own = [401, 403].includes(response.status) ? await client.openOwn(url) : null;
    if (own) return { response: own, isPublic: false };
    throw new Failure(
      'upstream_error',
      `the upstream's file storage answered with status ${response.status}`,
    );
  };

  /** Limits the time of the body: a file that drips must not hold the answer. */
  const fetchFile = async (located: Located): Promise<OpenedAsset> => {
    const { response, isPublic } = await open(located);
    if (response.body === null) return { response, isPublic };
    const limits = { idleSeconds, graceSeconds, bytesPerSecond };
    const body = limitTransfer(
      response.body,
      limits,
      () => new Failure('upstream_timeout', "the upstream's file storage sends it too slowly"),
    );
    return { response: new Response(body, { status: response.status, headers: response.headers }), isPublic };
  };

  const store = async (
    files: FileStore,
    asset: AssetRef,
    kind: 'image' | 'file',
    located: Located,
  ): Promise<Published> => {
    const { response, isPublic } = await fetchFile(located);
    const length = response.headers.get('content-length');
    const file = {
      body: response.body ?? new Blob([]).stream(),
      type: response.headers.get('content-type'),
      name: asset.from === 'sandbox' ? asset.path : located.name,
      length: length === null ? null : Number(length),
    };
    try {
      const stored = await files.keep(file, maxBytes, kind === 'image' ? { checkType: onlyPictures } : {});
      return {
        url:
          options.r2Domain === undefined
            ? options.stem + pathOf(stored)
            : `https://${options.r2Domain}/${mediaFolder}/${stored.id}`,
      };
    } catch (error) {
      // The upstream's link is better than none, if it opens without the key.
      if (!isPublic || !isStorageFailure(error)) throw error;
      logFailure(error);
      return { url: located.url, isShortLived: true };
    }
  };

  const logFailure = (error: unknown): void => {
    const cause = error instanceof Failure && error.cause instanceof Error ? error.cause.message : null;
    ports.log('warn', 'a picture or file of an answer could not be stored', {
      error: error instanceof Error ? error.message : String(error),
      cause,
    });
  };

  return {
    /** A link to an asset. Throws if it cannot be fetched, or is no picture but must be one. */
    async publish(
      asset: AssetRef,
      kind: 'image' | 'file',
      conversationId: string | null,
    ): Promise<Published> {
      const located = await locate(asset, conversationId);
      if (!fileStore) return { url: options.publicLink?.(located.url) ?? located.url };
      return ports.tasks
        .limitMemory(() => store(fileStore, asset, kind, located), options.caller)
        .catch((error: unknown) => {
          logFailure(error);
          throw error;
        });
    },
    /** The bytes of an asset. */
    download: async (asset: AssetRef, conversationId: string | null): Promise<Response> =>
      (await fetchFile(await locate(asset, conversationId))).response,
  };
}

/** Whether the gateway's own storage is the reason. */
function isStorageFailure(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'unavailable' || error.code === 'insufficient_storage');
}
