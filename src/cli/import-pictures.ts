import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mediaFolder } from '../files/file-store.ts';
import { oldPictureId } from '../files/old-picture.ts';
import { createDiskBlobs } from '../platform/node/stores/disk-blobs.ts';

/** Folders in which the older projects store pictures. */
const folders = ['images', 'data/images'];

/** Limits of one import, so that a wrong folder does not fill the disk. */
const maxPictures = 100_000;
const maxBytes = 64 * 1024 * 1024;

/**
 * Copies the pictures of an older project into the data folder, under their old names. Returns how
 * many there were.
 */
export async function importPictures(root: string, dataDir: string): Promise<number> {
  const blobs = createDiskBlobs(dataDir);
  let count = 0;
  for (const folder of folders) {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names) {
      const id = oldPictureId(name);
      if (id === null || count >= maxPictures) continue;
      const path = join(root, folder, name);
      const file = await stat(path);
      if (!file.isFile() || file.size > maxBytes || (await blobs.head(`${mediaFolder}/${id}`))) continue;
      const type = `image/${id.slice(id.lastIndexOf('-') + 1).replace('jpg', 'jpeg')}`;
      await blobs.put(`${mediaFolder}/${id}`, createReadStream(path), { type, fileName: name });
      count++;
    }
  }
  return count;
}
