import { type FileStore, mediaFolder, pathOf } from '../../files/file-store.ts';
import { Failure } from '../../http/failure.ts';
import { guardedFetch } from '../../http/guarded-fetch.ts';
import type { Ports } from '../../ports/ports.ts';
import type { AssetRef } from '../../segments/segment.ts';
import type { Published } from '../../segments/writer.ts';
import type { Client, Located } from './client.ts';

export type PublishOptions = {
  readonly ports: Ports;
  /** Null where nothing is to be stored: the upstream's own links are handed out. */
  readonly fileStore: FileStore | null;
  readonly stem: string;
  readonly r2Domain: string | undefined;
  /** Whom the upstream's files may come from beyond the open internet. */
  readonly allow: ReadonlySet<string>;
  readonly maxBytes: number;
};

const fetchSeconds = 60;

/** Turns what an answer names into links: fetched from the upstream, stored, and served by the gateway. */
export function createPublisher(client: Client, options: PublishOptions) {
  const { ports, fileStore, allow, maxBytes } = options;

  const locate = (asset: AssetRef, conversationId: string | null): Promise<Located> => {
    if (asset.from === 'file') return client.locateFile(asset.id, conversationId, asset.pointer);
    if (conversationId === null) throw new Failure('upstream_error', 'it belongs to no conversation');
    return client.locateSandbox(conversationId, asset.messageId, asset.path);
  };

  const open = async ({ url }: Located): Promise<Response> => {
    const answer = await guardedFetch(ports.http, url, { allow, timeoutSeconds: fetchSeconds });
    if (answer.ok) return answer;
    await answer.body?.cancel();
    // Newer upstreams serve files themselves, and want to know for whom.
    const keyed = [401, 403].includes(answer.status) ? await client.openOwn(url) : null;
    if (keyed) return keyed;
    throw new Failure('upstream_error', `the upstream's file storage answered with status ${answer.status}`);
  };

  return {
    async publish(asset: AssetRef, conversationId: string | null): Promise<Published> {
      const located = await locate(asset, conversationId);
      if (!fileStore) return { url: located.url };
      return ports.tasks
        .limitMemory(async () => {
          const answer = await open(located);
          const length = answer.headers.get('content-length');
          const kept = await fileStore.keep(
            {
              body: answer.body ?? new Blob([]).stream(),
              type: answer.headers.get('content-type'),
              name: asset.from === 'sandbox' ? asset.path : located.name,
              length: length === null ? null : Number(length),
            },
            maxBytes,
          );
          if (options.r2Domain !== undefined)
            return { url: `https://${options.r2Domain}/${mediaFolder}/${kept.id}` };
          return { url: options.stem + pathOf(kept) };
        })
        .catch((error: unknown) => {
          const cause = error instanceof Failure && error.cause instanceof Error ? error.cause.message : null;
          ports.log('warn', 'a picture or file of an answer could not be kept', {
            error: error instanceof Error ? error.message : String(error),
            cause,
          });
          throw error;
        });
    },
    /** The bytes themselves. */
    download: async (asset: AssetRef, conversationId: string | null): Promise<Response> =>
      open(await locate(asset, conversationId)),
  };
}
