import type { Credentials } from '../access/credentials.ts';
import type { Platform } from '../platform/platform.ts';

/**
 * The folder of the files that somebody uploaded: each key has its own, so that an id is of no use to anybody else.
 */
export async function uploadsFolder(
  { accessKey, ownKey, openaiKey }: Credentials,
  platform: Pick<Platform, 'createHash'>,
): Promise<string> {
  const hash = platform.createHash();
  await hash.update(new TextEncoder().encode(`uploads of ${accessKey ?? openaiKey ?? ownKey ?? ''}`));
  return `uploads/${(await hash.hex()).slice(0, 32)}`;
}
