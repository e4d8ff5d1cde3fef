import { json } from '../reply.ts';

/** Says that the process lives. No detail: anyone may ask. */
export function health(): Response {
  return json({ status: 'ok' }, 200, { 'cache-control': 'no-store' });
}

/** Says whether new requests are welcome; they are not while the gateway drains. */
export function readiness(draining: boolean): Response {
  return json({ status: draining ? 'draining' : 'ok' }, draining ? 503 : 200, {
    'cache-control': 'no-store',
  });
}
