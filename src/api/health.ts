import { json } from '../reply.ts';

/** Says that the process lives. No detail: anyone may ask. */
export function health(): Response {
  return json({ status: 'ok' }, 200, { 'cache-control': 'no-store' });
}

/**
 * Whether new requests are accepted: not while the gateway drains, nor while every upstream cools
 * down.
 */
export function readiness(draining: boolean, down: boolean): Response {
  const status = draining ? 'draining' : down ? 'no upstream answers' : 'ok';
  return json({ status }, status === 'ok' ? 200 : 503, {
    'cache-control': 'no-store',
  });
}
