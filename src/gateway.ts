import { type Credentials, readCredentials } from './access/credentials.ts';
import { requireMetricsKey } from './access/guard.ts';
import {
  admitOrigin,
  anyOrigin,
  corsHeaders,
  isPreflight,
  originRules,
  preflightHeaders,
} from './access/origins.ts';
import type { FetchRelay } from './api/models.ts';
import type { Call, RecordFields } from './call.ts';
import { createFileStore } from './files/file-store.ts';
import { toFailure } from './http/failure.ts';
import type { RawHeaders } from './http/headers.ts';
import type { Incoming } from './http/request.ts';
import { parseTarget, placeOf } from './http/request-target.ts';
import { createConcurrencyLimit } from './limits/concurrency.ts';
import { createLogSink } from './observe/log-sink.ts';
import { createRecorder } from './observe/recorder.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { Ports } from './ports/ports.ts';
import { createUpstreamHealth } from './relay/health.ts';
import { type Exchange, failureResponse, type Outcome, type Reply } from './reply.ts';
import { createRouteTable } from './route-table.ts';
import { findRoute } from './routes.ts';
import type { Settings } from './settings/schema.ts';
import { createUpstreams } from './upstreams/create.ts';
import { createModelRouter } from './upstreams/model-router.ts';
import { createPlanner } from './upstreams/relay-plan.ts';

/** A server as a function of a request: it decides, the platform carries out. */
export interface Gateway {
  /** Decides what becomes of a request. Never throws. Waits only if a body or an upstream must be read first. */
  handle(incoming: Incoming): Exchange | Promise<Exchange>;
  /** From now on the gateway reports that it is not ready for new requests. */
  drain(): void;
  isDraining(): boolean;
}

/** What a runtime adds to the settings and ports. */
export type GatewayOptions = {
  /** The pages built from `web/`; null if they were not built. */
  readonly pages: BuiltFiles | null;
  /** Origin of the built-in emulator, which answers if no upstream is configured. */
  readonly emulatorUrl: string;
  readonly fetchRelay: FetchRelay;
};

export function createGateway(settings: Settings, ports: Ports, options: GatewayOptions): Gateway {
  const fileStore = ports.blobs && createFileStore(ports.blobs, ports);
  const names = Object.keys(settings.upstreams);
  const upstreamHealth = createUpstreamHealth(names.length > 0 ? names : ['emulator', 'emulator-web']);
  const upstreams = createUpstreams(settings, ports, fileStore, upstreamHealth, options.emulatorUrl);
  const modelRouter = createModelRouter(upstreams, settings.models, settings.gpts);
  const plan = createPlanner(upstreamHealth, settings.retries, settings.keepAliveStyle);
  const concurrency = createConcurrencyLimit(settings);
  const hasServerKey = Object.values(settings.upstreams).some((upstream) => upstream.keys.length > 0);
  const rules = originRules(settings, hasServerKey);
  const sinks = [createLogSink(ports.log), ...(ports.metrics ? [ports.metrics] : [])];
  const record = createRecorder(sinks, ports.log);
  const newId = createIds();
  let draining = false;
  const isDraining = (): boolean => draining;
  const { pages, fetchRelay } = options;
  const routes = createRouteTable({
    ...{ settings, ports, pages, modelRouter, upstreamHealth, plan, fileStore, fetchRelay, isDraining },
  });

  /** In reading order: preflight, route, origin, key, limit, answer. */
  const decide = (request: OpenRequest): Reply | Promise<Reply> => {
    const { incoming } = request;
    const { head } = incoming;
    if (isPreflight(head)) {
      request.record.route = 'preflight';
      admitOrigin(head, rules);
      request.addedHeaders.push(...preflightHeaders(head));
      return new Response(null, { status: 204 });
    }
    const target = parseTarget(head.target);
    const place = placeOf(target.path, head.method, settings.apiPrefix);
    const route = findRoute(routes, place, head.method, settings.apiPrefix);
    request.record.route = route.name;
    if (route.anyOrigin) request.addedHeaders = [...anyOrigin, 'x-request-id', request.id];
    let credentials: Credentials = noCredentials;
    if (route.guard === 'metrics') requireMetricsKey(head.rawHeaders, settings.metricsKey);
    else if (route.guard === 'caller') {
      admitOrigin(head, rules);
      credentials = readCredentials(head.rawHeaders, settings.accessKeys);
      request.onEnd(concurrency.enter(credentials));
    }
    const call: Call = {
      id: request.id,
      incoming,
      method: head.method,
      path: place.path,
      search: target.search,
      credentials,
      whenOver: (work) => request.onEnd(work),
      record: request.record,
    };
    return route.answer(call);
  };

  return {
    handle(incoming) {
      ports.metrics?.opened();
      const request = new OpenRequest(newId(), incoming, corsHeaders(incoming.head, rules), record);
      const fail = (thrown: unknown): OpenRequest => {
        const failure = toFailure(thrown);
        if (failure.code === 'internal_error')
          ports.log('error', 'request failed unexpectedly', {
            id: request.id,
            error: describe(failure.cause),
          });
        return request.answer(failureResponse(failure));
      };
      try {
        const reply = decide(request);
        return reply instanceof Promise
          ? reply.then((settled) => request.answer(settled), fail)
          : request.answer(reply);
      } catch (thrown) {
        return fail(thrown);
      }
    },
    drain() {
      draining = true;
    },
    isDraining,
  };
}

const noCredentials = { accessKey: null, ownKey: null, openaiKey: null } as const;

/** A request from its arrival to its record. */
class OpenRequest implements Exchange {
  readonly id: string;
  readonly incoming: Incoming;
  readonly record: RecordFields = { route: 'none', caller: null, upstream: null, model: null };
  reply: Reply = unanswered;
  addedHeaders: string[];
  readonly #startedAt = performance.now();
  readonly #write: ReturnType<typeof createRecorder>;
  readonly #afterwards: (() => void)[] = [];
  #isOver = false;

  constructor(id: string, incoming: Incoming, cors: RawHeaders, write: ReturnType<typeof createRecorder>) {
    this.id = id;
    this.incoming = incoming;
    this.addedHeaders = [...cors, 'x-request-id', id];
    this.#write = write;
  }

  answer(reply: Reply): this {
    if (!(reply instanceof Response)) this.record.upstream = reply.requests[0].upstream;
    this.reply = reply;
    return this;
  }

  onEnd(work: () => void): void {
    if (this.#isOver) work();
    else this.#afterwards.push(work);
  }

  end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const work of this.#afterwards) work();
    const { head } = this.incoming;
    const { route, caller, upstream, model, attempts, error, endedBy } = this.record;
    const tries = outcome.attempts ?? attempts ?? 1;
    this.#write({
      id: this.id,
      method: head.method,
      path: pathForLog(head.target),
      route,
      caller,
      model,
      upstream: outcome.upstream ?? upstream,
      attempts: tries > 1 ? tries : undefined,
      status: outcome.status,
      bytes: outcome.bytes,
      firstByteMs: outcome.firstByteAt === null ? null : rounded(outcome.firstByteAt - this.#startedAt),
      totalMs: rounded(performance.now() - this.#startedAt),
      endedBy: endedBy ?? outcome.endedBy,
      error: error ?? outcome.error,
    });
  }
}

/** Stands in until the request is decided. */
const unanswered = new Response(null, { status: 500 });

/** Request ids: unguessable by a part that is random for each process, unique by a counter, cheap to make. */
function createIds(): () => string {
  let prefix = '';
  let count = 0;
  return () => {
    // Not made at start: Workers give no randomness outside a request.
    prefix ||= crypto.randomUUID().replaceAll('-', '').slice(0, 20);
    count = (count + 1) % 0x1000000000;
    return `req_${prefix}${count.toString(36).padStart(7, '0')}`;
  };
}

/** A path as the log may hold it: without the query, in which some clients put keys, and not endless. */
function pathForLog(target: string): string {
  const end = target.indexOf('?');
  return (end < 0 ? target : target.slice(0, end)).slice(0, 200);
}

/** Milliseconds with one decimal. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
