import type { Dirent } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Blobs, ByteRange, StoredBlob } from '../blobs.ts';
import { checkKey } from '../blobs.ts';

/** Bytes read from a file at a time. */
const pieceBytes = 256 * 1024;
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

  const head = async (key: string): Promise<StoredBlob | null> => {
    const path = pathOf(key);
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
      }).catch(async (error: unknown) => {
        await body.cancel(error).catch(() => {});
        throw error;
      });
    },
    head,
    async get(key, range) {
      const found = await head(key);
      if (!found) return null;
      const file = await open(pathOf(key)).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      return file && { ...found, body: readStream(file, range ?? { offset: 0, length: found.size }) };
    },
    async delete(keys) {
      for (const key of keys) {
        const path = pathOf(key);
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

function readStream(file: FileHandle, { offset, length }: ByteRange): ReadableStream<Uint8Array> {
  let at = offset;
  const end = offset + length;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const wanted = Math.min(pieceBytes, end - at);
          if (wanted > 0) {
            const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, at);
            if (bytesRead === 0) throw new Error('the file is shorter than it was');
            at += bytesRead;
            controller.enqueue(buffer.subarray(0, bytesRead));
          }
          if (at < end) return;
          await file.close();
          controller.close();
        } catch (error) {
          await file.close().catch(() => {});
          controller.error(error);
        }
      },
      cancel: () => file.close(),
    },
    { highWaterMark: 0 },
  );
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
