import { equalInConstantTime } from '../access/constant-time.ts';
import { readCredentials } from '../access/credentials.ts';
import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import type { Metrics } from '../observe/record.ts';

/** `GET /metrics`: what was counted, for whoever holds the key that is for this alone. */
export function createMetricsPage(metrics: Metrics, key: string) {
  return async ({ incoming }: Call): Promise<Response> => {
    const { ownKey } = readCredentials(incoming.head.rawHeaders, []);
    if (ownKey === null || !equalInConstantTime(ownKey, key))
      throw new Failure('invalid_api_key', 'The metrics are read with METRICS_KEY as Authorization: Bearer.');
    const { body, type } = await metrics.text();
    return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
  };
}
