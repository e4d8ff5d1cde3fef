import type { Metrics } from '../observe/record.ts';

/** `GET /metrics`: what was counted, in Prometheus' text format. */
export function metricsPage(metrics: Metrics) {
  return async (): Promise<Response> => {
    const { body, type } = await metrics.text();
    return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-store' } });
  };
}
