import { createCallers, identify } from './access/caller.ts';
import { clientAddress, trustedProxies } from './access/client-address.ts';
import { readCredentials } from './access/credentials.ts';
import { requireMetricsKey } from './access/guard.ts';
import {
  admitOrigin,
  anyOrigin,
  corsHeaders,
  isPreflight,
  originRules,
  preflightHeaders,
} from './access/origins.ts';
import { requireScope } from './access/scopes.ts';
import type { FetchRelay } from './api/models.ts';
import type { Call } from './call.ts';
import { createFileStore } from './files/file-store.ts';
import { toFailure } from './http/failure.ts';
import type { Incoming } from './http/request.ts';
import { parseTarget, placeOf } from './http/request-target.ts';
import { createConcurrencyLimit } from './limits/concurrency.ts';
import { createHeldBytes } from './limits/held-bytes.ts';
import { createLogSink } from './observe/log-sink.ts';
import type { Metrics } from './observe/record.ts';
import { createRecorder } from './observe/recorder.ts';
import { OpenRequest } from './open-request.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { Ports } from './ports/ports.ts';
import { createUpstreamHealth } from './relay/health.ts';
import { type Exchange, failureResponse, type Reply } from './reply.ts';
import { createRouteTable } from './route-table.ts';
import { findRoute } from './routes.ts';
import type { Settings } from './settings/schema.ts';
import { createUpstreams } from './upstreams/create.ts';
import { createModelRouter } from './upstreams/model-router.ts';
import { createPlanner } from './upstreams/relay-plan.ts';

/** A server as a function of a request: it decides, the platform carries out. */
export interface Gateway {
  /**
   * Decides what becomes of a request. Never throws. Waits only if a body or an upstream must be
   * read first.
   */
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
  /** Counts requests; null if nothing is counted. */
  readonly metrics: Metrics | null;
};

export function createGateway(settings: Settings, ports: Ports, options: GatewayOptions): Gateway {
  const fileStore = ports.blobs && createFileStore(ports.blobs, ports);
  const names = Object.keys(settings.upstreams);
  const upstreamHealth = createUpstreamHealth(names.length > 0 ? names : ['emulator', 'emulator-web']);
  const upstreams = createUpstreams(settings, ports, fileStore, upstreamHealth, options.emulatorUrl);
  const modelRouter = createModelRouter(upstreams, settings.models, settings.gpts);
  const plan = createPlanner(upstreamHealth, settings.retries, settings.keepAliveStyle);
  const concurrency = createConcurrencyLimit(settings);
  const heldBytes = createHeldBytes({
    total: settings.maxHeldBytes,
    perCaller: settings.maxHeldBytes / 2,
  });
  const hasServerKey = Object.values(settings.upstreams).some((upstream) => upstream.keys.length > 0);
  const rules = originRules(settings, hasServerKey);
  const callers = createCallers(settings, {
    serverKey: hasServerKey,
    isLocalOnly: rules.local === 'server-key',
  });
  const isTrusted = trustedProxies(settings.trustedProxies);
  const logsAddress = settings.logClientAddress;
  const addressOf = ({ head, peerAddress }: Incoming): string | null =>
    clientAddress(head.rawHeaders, peerAddress, isTrusted);
  const sinks = [createLogSink(ports.log), ...(options.metrics ? [options.metrics] : [])];
  const record = createRecorder(sinks, ports.log);
  const newId = createIds();
  let draining = false;
  const isDraining = (): boolean => draining;
  const { pages, fetchRelay, metrics } = options;
  const routes = createRouteTable({
    ...{
      settings,
      ports,
      pages,
      modelRouter,
      upstreamHealth,
      plan,
      fileStore,
      fetchRelay,
      metrics,
      isDraining,
    },
  });

  /** Reads a body within the budget of its caller, who is known by key, else by address. */
  const readBody = (request: OpenRequest, limit: number): Promise<Uint8Array> => {
    const { incoming } = request;
    const { accessKey, openaiKey, ownKey } = request.credentials;
    const key = accessKey ?? openaiKey ?? ownKey;
    const hold = heldBytes.open(key === null ? `address ${addressOf(incoming) ?? ''}` : `key ${key}`);
    request.onEnd(hold.release);
    return incoming.read(limit, hold.add);
  };

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
    if (logsAddress) request.record.client = addressOf(incoming);
    if (route.guard === 'metrics') requireMetricsKey(head.rawHeaders, settings.metricsKey);
    else if (route.guard === 'caller') {
      admitOrigin(head, rules);
      request.credentials = readCredentials(head.rawHeaders, settings.accessKeys);
      const caller = identify(request.credentials, callers);
      request.record.caller = caller.keyId;
      requireScope(caller.scopes, head.method, place.path);
      request.onEnd(concurrency.enter(request.credentials));
    }
    const call: Call = {
      id: request.id,
      incoming,
      method: head.method,
      path: place.path,
      search: target.search,
      credentials: request.credentials,
      readBody: (limit) => readBody(request, limit),
      whenOver: (work) => request.onEnd(work),
      record: request.record,
    };
    return route.answer(call);
  };

  return {
    handle(incoming) {
      metrics?.opened();
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

/**
 * Request ids: unguessable by a part that is random for each process, unique by a counter, cheap to
 * make.
 */
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

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
