import type { Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { BlobFacts, Blobs, ByteRange, StoredBlob } from '../../../ports/blobs.ts';
import { checkKey } from '../../../ports/blobs.ts';
import { StoredBody } from './blob-body.ts';
import { createRecentBlobs, maxRecentBytes } from './blob-cache.ts';

/** What a killed process left half-written is deleted after this time: no upload takes so long. */
const abandonedMs = 3_600_000;

/**
 * Blobs in a folder. The bytes are written to a temporary file, synced and renamed. Their facts are
 * in a file beside them that is written first, so that a file that has its name is whole.
 */
export function createDiskBlobs(folder: string): Blobs {
  const temporary = join(folder, 'tmp');
  const pathOf = (key: string): string => {
    checkKey(key);
    const at = key.lastIndexOf('/') + 1;
    return join(folder, 'blobs', key.slice(0, at), key.slice(at, at + 2), key.slice(at));
  };

  /** Writes a file atomically. */
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

  /** Asks the disk each time: another process may have deleted the file. Facts do not change. */
  const head = async (key: string): Promise<StoredBlob | null> => {
    const path = pathOf(key);
    const known = recent.get(key);
    try {
      const [facts, { size, mtimeMs }] = await Promise.all([known ?? readFacts(path), stat(path)]);
      return { type: facts.type, fileName: facts.fileName, size, storedAt: mtimeMs };
    } catch (error) {
      recent.forget(key);
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
      if (known) return { ...known, body: bytesBody(known.bytes, range) };
      const blob = await head(key);
      const file = blob && (await openUnlessMissing(pathOf(key)));
      if (!blob || !file) return null;
      if (blob.size > maxRecentBytes)
        return {
          ...blob,
          body: new StoredBody({
            kind: 'file',
            file,
            spare,
            ...(range ?? { offset: 0, length: blob.size }),
          }),
        };
      const bytes = await file.readFile().finally(() => file.close());
      recent.set(key, { ...blob, bytes });
      return { ...blob, body: bytesBody(bytes, range) };
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
      await deleteAbandoned(temporary);
      const root = join(folder, 'blobs');
      for await (const { path, names } of filesBelow(root)) {
        if (path.endsWith('.json')) {
          if (!names.has(basename(path, '.json'))) await deleteIfAbandoned(path);
          continue;
        }
        const parts = path.slice(root.length + 1).split('/');
        const key = [...parts.slice(0, -2), parts.at(-1)].join('/');
        if (!key.startsWith(prefix)) continue;
        const file = await stat(path).catch(() => null);
        if (file) yield { key, size: file.size, storedAt: file.mtimeMs };
      }
    },
  };
}

async function readFacts(path: string): Promise<BlobFacts> {
  const { type, fileName } = JSON.parse(await readFile(`${path}.json`, 'utf8')) as Record<string, unknown>;
  return {
    type: typeof type === 'string' ? type : 'application/octet-stream',
    fileName: typeof fileName === 'string' ? fileName : null,
  };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}

/** After a power cut a renamed file is there only if its folder was synced as well. */
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

/** Files at any depth, each with the names of all entries of its folder. */
async function* filesBelow(
  folder: string,
): AsyncGenerator<{ readonly path: string; readonly names: ReadonlySet<string> }> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const names = new Set(entries.map(({ name }) => name));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield { path, names };
  }
}

async function deleteAbandoned(folder: string): Promise<void> {
  for await (const { path } of filesBelow(folder)) await deleteIfAbandoned(path);
}

async function deleteIfAbandoned(path: string): Promise<void> {
  const file = await stat(path).catch(() => null);
  if (file && Date.now() - file.mtimeMs > abandonedMs) await rm(path, { force: true });
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
