import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics, RequestRecord } from '../../observe/record.ts';
import { redact } from '../../observe/redact.ts';

/** Most model names with a label of their own. Callers choose the names, so there is a limit. */
const maxModels = 100;

const durations = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const firstBytes = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 60];

/** The counts of one process, as processes send them to each other. */
export type Counted = Awaited<ReturnType<Registry['getMetricsAsJSON']>>;

export type NodeMetrics = Metrics & { own(): Promise<Counted> };

/**
 * Counts requests. Requests to models are named as in OpenTelemetry's GenAI conventions
 * (`gen_ai.server.request.duration`, `gen_ai.server.time_to_first_token`, with their buckets), in
 * Prometheus' form. The other names begin with `sluice_`. `gather` returns the counts of all
 * processes; null if this is the only one. No label holds one of `secrets`.
 */
export function createMetrics(
  gather: (() => Promise<readonly Counted[]>) | null,
  secrets: readonly string[],
): NodeMetrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const genAi = [
    'gen_ai_operation_name',
    'gen_ai_provider_name',
    'gen_ai_request_model',
    'error_type',
  ] as const;
  const duration = new Histogram({
    name: 'gen_ai_server_request_duration_seconds',
    help: 'Time from a request to a model to the end of its response.',
    labelNames: genAi,
    buckets: durations,
    registers,
  });
  const firstToken = new Histogram({
    name: 'gen_ai_server_time_to_first_token_seconds',
    help: 'Time from a request to a model to the first byte of its response, errors apart.',
    labelNames: genAi.slice(0, 3),
    buckets: firstBytes,
    registers,
  });
  const requests = new Counter({
    name: 'sluice_requests_total',
    help: 'Requests that ended, by who ended them: done, client, upstream, timeout, gateway.',
    labelNames: ['route', 'upstream', 'status', 'ended_by'],
    registers,
  });
  const open = new Gauge({
    name: 'sluice_open_requests',
    help: 'Requests that are being served.',
    registers,
  });
  const bytes = new Counter({
    name: 'sluice_sent_bytes_total',
    help: 'Body bytes sent to callers.',
    labelNames: ['route'],
    registers,
  });
  const retries = new Counter({
    name: 'sluice_further_attempts_total',
    help: 'Attempts with another upstream or key because one failed.',
    labelNames: ['upstream'],
    registers,
  });
  const models = new Set<string>();
  const modelLabel = ({ model: name, status }: RequestRecord): string => {
    if (name === null || status >= 400) return '';
    // A caller may send a key as the model.
    const model = redact(name, secrets);
    if (!models.has(model) && models.size >= maxModels) return 'other';
    models.add(model);
    return model;
  };

  return {
    name: 'metrics',
    opened: () => open.inc(),
    record(record) {
      const { route, status, endedBy, totalMs, firstByteMs, attempts = 1 } = record;
      const upstream = record.upstream ?? '';
      open.dec();
      requests.inc({ route, upstream, status: String(status), ended_by: endedBy });
      if (record.bytes) bytes.inc({ route }, record.bytes);
      if (attempts > 1) retries.inc({ upstream }, attempts - 1);
      if (record.upstream === null) return;
      const labels = {
        gen_ai_operation_name: operationAt(record.path),
        gen_ai_provider_name: upstream,
        gen_ai_request_model: modelLabel(record),
      };
      if (firstByteMs !== null && status < 400) firstToken.observe(labels, firstByteMs / 1000);
      duration.observe({ ...labels, error_type: errorType(status, endedBy) }, totalMs / 1000);
    },
    own: () => registry.getMetricsAsJSON(),
    async text() {
      const all = gather ? AggregatorRegistry.aggregate([...(await gather())]) : registry;
      return { body: await all.metrics(), type: registry.contentType };
    },
  };
}

/** The operation at a path, as the conventions name it. */
function operationAt(path: string): string {
  const operation = /\/(chat\/completions|responses|completions|embeddings)\/?$/.exec(path)?.[1];
  if (operation === 'completions') return 'text_completion';
  if (operation === 'embeddings') return operation;
  return operation !== undefined || path === '/' ? 'chat' : 'other';
}

/** Empty if the request succeeded: Prometheus leaves an empty label out. */
function errorType(status: number, endedBy: string): string {
  if (status >= 400) return String(status);
  return endedBy === 'upstream' || endedBy === 'timeout' ? endedBy : '';
}
