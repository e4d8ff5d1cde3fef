import type { Credentials } from '../access/credentials.ts';
import { hashOf } from '../ports/hash.ts';
import type { Ports } from '../ports/ports.ts';

/** The folder of the files that a key uploaded. Each key has one, so others cannot use its ids. */
export async function uploadsFolder(
  { accessKey, ownKey, openaiKey }: Credentials,
  ports: Pick<Ports, 'createHash'>,
): Promise<string> {
  const hash = await hashOf(ports, `uploads of ${accessKey ?? openaiKey ?? ownKey ?? ''}`);
  return `uploads/${hash.slice(0, 32)}`;
}
