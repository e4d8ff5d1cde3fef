import * as v from 'valibot';
import type { Call } from '../../call.ts';
import { Failure, toFailure } from '../../http/failure.ts';
import { hashOf } from '../../ports/hash.ts';
import type { Ports } from '../../ports/ports.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import { withTimeout } from '../../streams/with-timeout.ts';
import { type Endpoint, isRetryable } from './endpoints.ts';
import { slugsIn } from './model-names.ts';

type ModelListOptions = {
  readonly name: string;
  /** How long a list is cached, in seconds; 0 for not at all. */
  readonly modelsCacheSeconds: number;
};

/** Longest time for a list, in seconds. A caller waits for it before the answer begins. */
const listSeconds = 10;
/** Most models of one list. */
const maxSlugs = 1000;

/**
 * Reads the models that an upstream lists for a caller's key. A list is cached for each key and
 * account, under their hash. An upstream that has no list has no models of this kind.
 */
export function createModelList(
  { name, modelsCacheSeconds }: ModelListOptions,
  endpointsFor: (call: Call) => readonly Endpoint[],
  ports: Ports,
) {
  const lists = typedCache(ports, 'slugs', v.array(v.string()), modelsCacheSeconds);

  const read = async (endpoint: Endpoint): Promise<readonly string[]> => {
    const late = () =>
      new Failure('upstream_timeout', `The upstream did not list its models within ${listSeconds} seconds.`);
    const request = new AbortController();
    try {
      const list = await withTimeout(endpoint.connect().models(request.signal), listSeconds, late);
      return slugsIn(list).slice(0, maxSlugs);
    } catch (error) {
      if (error instanceof Failure && error.code === 'not_found') return [];
      throw error;
    } finally {
      request.abort();
    }
  };

  /** Asks one endpoint after the other, until one gives its list. */
  return async (call: Call): Promise<readonly string[]> => {
    const endpoints = endpointsFor(call);
    for (const [i, endpoint] of endpoints.entries()) {
      const account = await hashOf(ports, JSON.stringify([endpoint.key.key, endpoint.account]));
      const known = modelsCacheSeconds > 0 ? await lists.get(name, account) : undefined;
      if (known) return known;
      try {
        const slugs = await read(endpoint);
        if (modelsCacheSeconds > 0) await lists.set([...slugs], name, account);
        return slugs;
      } catch (error) {
        const { message } = toFailure(error);
        ports.log('warn', 'the models of an upstream could not be listed', {
          upstream: name,
          error: message,
        });
        if (!isRetryable(error) || i === endpoints.length - 1) throw error;
      }
    }
    return [];
  };
}
