import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Agent, fetch } from 'undici';
import { forbidden } from '../../files/guarded-fetch.ts';
import { isPublicAddress } from '../../files/public-address.ts';

/**
 * Resolves a name to its public addresses alone. The connection is made to what is given here and to nothing else, so that a name cannot
 * mean another machine a moment later.
 */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '');
    const open = (found as LookupAddress[]).filter(({ address }) => isPublicAddress(address));
    const [first] = open;
    if (!first) return callback(forbidden(), '');
    if (options.all) callback(null, open);
    else callback(null, first.address, first.family);
  });
};

const common = { keepAliveTimeout: 10_000, connections: 64, maxHeaderSize: 32 * 1024 } as const;

/** `fetch` for addresses that somebody gave: without cookies, without redirects, with a look at what each name resolves to. */
export function createPublicFetch() {
  const guarded = new Agent({ ...common, connect: { lookup: publicLookup, timeout: 10_000 } });
  const open = new Agent({ ...common, connect: { timeout: 10_000 } });
  return async (url: URL, init: RequestInit, allowPrivate: boolean): Promise<Response> => {
    const answer = await fetch(url, {
      ...(init as object),
      redirect: 'manual',
      dispatcher: allowPrivate ? open : guarded,
    });
    return answer as unknown as Response;
  };
}
