import { Failure } from '../http/failure.ts';
import type { RawHeaders } from '../http/headers.ts';
import { equalInConstantTime } from './constant-time.ts';
import { readCredentials } from './credentials.ts';

/** Throws a 401 unless the request presents METRICS_KEY. */
export function requireMetricsKey(headers: RawHeaders, key: string | undefined): void {
  const { ownKey } = readCredentials(headers, []);
  if (key === undefined || ownKey === null || !equalInConstantTime(ownKey, key))
    throw new Failure('invalid_api_key', 'The metrics are read with METRICS_KEY as Authorization: Bearer.');
}
