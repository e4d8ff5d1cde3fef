import * as v from 'valibot';
import { Failure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import type { Client } from './client.ts';

/** How long a key that the upstream accepted is not checked again, in seconds. */
const acceptedSeconds = 1800;
/** Longest wait for the check, in seconds. */
const checkSeconds = 10;

/**
 * Asks the upstream whether it accepts a caller's key, by its cheapest call: nothing is fetched for
 * a key that it refuses. Throws what the upstream says about a refused key. If the call fails for
 * another reason, the key counts as accepted: the upstream judges it again with the upload.
 */
export async function checkKey(
  client: Client,
  ports: Ports,
  account: { readonly upstream: string; readonly keyHash: string },
  signal: AbortSignal,
): Promise<void> {
  const accepted = typedCache(ports, 'accepted-key', v.literal(true), acceptedSeconds);
  const name = [account.upstream, account.keyHash];
  if ((await accepted.get(...name)) === true) return;
  try {
    await client.models(AbortSignal.any([signal, AbortSignal.timeout(checkSeconds * 1000)]));
  } catch (error) {
    if (error instanceof Failure && ['invalid_api_key', 'forbidden'].includes(error.code)) throw error;
    return;
  }
  await accepted.set(true, ...name);
}
