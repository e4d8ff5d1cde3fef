import type { Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs, ByteRange, StoredBlob } from '../../../ports/blobs.ts';
import { checkKey } from '../../../ports/blobs.ts';
import { StoredBody } from './blob-body.ts';
import { createRecentBlobs, maxRecentBytes } from './blob-cache.ts';

/** A half-written file is left behind only by a process that was killed; after this time nobody writes it any more. */
const abandonedMs = 3_600_000;

/**
 * Blobs in a folder. The bytes are written to a temporary file, brought to the disk and renamed; their facts stand in a file beside them
 * that is there first, so that whatever has its name is whole.
 */
export function createDiskBlobs(folder: string): Blobs {
  const temporary = join(folder, 'tmp');
  const pathOf = (key: string): string => {
    checkKey(key);
    const at = key.lastIndexOf('/') + 1;
    return join(folder, 'blobs', key.slice(0, at), key.slice(at, at + 2), key.slice(at));
  };

  /** Writes a file that is either whole or not there. */
  const write = async (path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> => {
    await mkdir(temporary, { recursive: true });
    const half = join(temporary, crypto.randomUUID());
    try {
      const file = await open(half, 'wx', 0o640);
      try {
        await fill(file);
        await file.sync();
      } finally {
        await file.close();
      }
      await mkdir(dirname(path), { recursive: true });
      await rename(half, path);
      await syncFolder(dirname(path));
    } catch (error) {
      await rm(half, { force: true }).catch(() => {});
      throw error;
    }
  };

  const recent = createRecentBlobs(Date.now);
  const spare: Buffer[] = [];

  const head = async (key: string): Promise<StoredBlob | null> => {
    const path = pathOf(key);
    const known = recent.get(key);
    if (known) return known;
    try {
      const [facts, { size, mtimeMs }] = await Promise.all([readFile(`${path}.json`, 'utf8'), stat(path)]);
      const { type, fileName } = JSON.parse(facts) as Record<string, unknown>;
      return {
        type: typeof type === 'string' ? type : 'application/octet-stream',
        fileName: typeof fileName === 'string' ? fileName : null,
        size,
        storedAt: mtimeMs,
      };
    } catch (error) {
      if (isMissing(error) || error instanceof SyntaxError) return null;
      throw error;
    }
  };

  return {
    async put(key, body, facts) {
      const path = pathOf(key);
      await write(path, async (file) => {
        for await (const chunk of body) await writeAll(file, chunk);
        await write(`${path}.json`, (beside) => beside.writeFile(JSON.stringify(facts)));
      });
    },
    head,
    async get(key, range) {
      const known = recent.get(key);
      if (known?.bytes) return { ...known, body: bytesBody(known.bytes, range) };
      const found = known ?? (await head(key));
      const file = found && (await openUnlessMissing(pathOf(key)));
      if (!found || !file) return null;
      if (found.size > maxRecentBytes)
        return {
          ...found,
          body: new StoredBody({
            kind: 'file',
            file,
            spare,
            ...(range ?? { offset: 0, length: found.size }),
          }),
        };
      const bytes = await file.readFile().finally(() => file.close());
      recent.set(key, { ...found, bytes });
      return { ...found, body: bytesBody(bytes, range) };
    },
    async delete(keys) {
      for (const key of keys) {
        const path = pathOf(key);
        recent.forget(key);
        await rm(path, { force: true });
        await rm(`${path}.json`, { force: true });
      }
    },
    async *list(prefix) {
      await dropAbandoned(temporary);
      const root = join(folder, 'blobs');
      for await (const path of filesBelow(root)) {
        if (path.endsWith('.json')) continue;
        const parts = path.slice(root.length + 1).split('/');
        const key = [...parts.slice(0, -2), parts.at(-1)].join('/');
        if (!key.startsWith(prefix)) continue;
        const found = await stat(path).catch(() => null);
        if (found) yield { key, size: found.size, storedAt: found.mtimeMs };
      }
    },
  };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}

/** A renamed file is only sure to be found after a power cut once its folder is on the disk too. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path).catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function bytesBody(bytes: Buffer, range: ByteRange | undefined): StoredBody {
  return new StoredBody({
    kind: 'bytes',
    bytes: range ? bytes.subarray(range.offset, range.offset + range.length) : bytes,
  });
}

async function openUnlessMissing(path: string): Promise<FileHandle | null> {
  return open(path).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}

async function dropAbandoned(folder: string): Promise<void> {
  for await (const path of filesBelow(folder)) {
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true });
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
