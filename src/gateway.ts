import { readCredentials } from './access/credentials.ts';
import {
  admitOrigin,
  anyOrigin,
  corsHeaders,
  isPreflight,
  originRules,
  preflightHeaders,
} from './access/origins.ts';
import type { Call, RecordFields } from './call.ts';
import { createFileStore } from './files/file-store.ts';
import { toFailure } from './http/failure.ts';
import type { RawHeaders } from './http/headers.ts';
import type { Incoming } from './http/request.ts';
import { parseTarget, placeOf } from './http/request-target.ts';
import { createAdmission } from './limits/concurrency.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { LogLevel } from './ports/log.ts';
import type { Ports } from './ports/ports.ts';
import { createUpstreamHealth } from './relay/health.ts';
import { type Exchange, failureResponse, type Outcome, type Reply } from './reply.ts';
import { createRoutes } from './routes.ts';
import type { Settings } from './settings/schema.ts';
import { createUpstreams } from './upstreams/create.ts';
import { createModelRouter } from './upstreams/model-router.ts';
import { createPlanner } from './upstreams/relay-plan.ts';

/** A server as a function of a request: it decides, the platform carries out. */
export interface Gateway {
  /** Decides what becomes of a request. Never throws; waits only where a body or an upstream must be read first. */
  handle(incoming: Incoming): Exchange | Promise<Exchange>;
  /** From now on the gateway says that it is not ready for new requests. */
  drain(): void;
  isDraining(): boolean;
}

/** What a runtime adds to the settings and ports. */
export type GatewayOptions = {
  /** The pages built from `web/`; null if they were not built. */
  readonly pages: BuiltFiles | null;
  /** Origin of the built-in emulator, which answers if no upstream is configured. */
  readonly emulatorUrl: string;
};

export function createGateway(settings: Settings, ports: Ports, options: GatewayOptions): Gateway {
  const fileStore = ports.blobs && createFileStore(ports.blobs, ports);
  const names = Object.keys(settings.upstreams);
  const upstreamHealth = createUpstreamHealth(
    names.length > 0 ? names : ['emulator', 'emulator-web'],
    ports.tasks.now,
  );
  const upstreams = createUpstreams(settings, ports, fileStore, upstreamHealth, options.emulatorUrl);
  const modelRouter = createModelRouter(upstreams, settings.models, settings.gpts);
  const plan = createPlanner(upstreamHealth, settings.retries);
  const admission = createAdmission(settings);
  const serverKey = Object.values(settings.upstreams).some((upstream) => upstream.keys.length > 0);
  const rules = originRules(settings, serverKey);
  const newId = createIds();
  let draining = false;
  const routes = createRoutes({
    settings,
    modelRouter,
    upstreamHealth,
    plan,
    ports,
    pages: options.pages,
    fileStore,
    isDraining: () => draining,
  });

  const decide = (
    id: string,
    incoming: Incoming,
    notes: RecordFields,
    afterwards: (() => void)[],
    ours: (more: RawHeaders) => void,
  ): Reply | Promise<Reply> => {
    const { head } = incoming;
    if (isPreflight(head)) {
      notes.route = 'preflight';
      admitOrigin(head, rules);
      ours(preflightHeaders(head));
      return new Response(null, { status: 204 });
    }
    const target = parseTarget(head.target);
    const place = placeOf(target.path, head.method, settings.apiPrefix);
    const route = routes(place, head.method);
    notes.route = route.name;
    if (route.anyOrigin) ours(anyOrigin);
    if (!route.open) admitOrigin(head, rules);
    const credentials = route.open
      ? { accessKey: null, ownKey: null, openaiKey: null }
      : readCredentials(head.rawHeaders, settings.accessKeys);
    if (!route.open) afterwards.push(admission.enter(credentials));
    const call: Call = {
      id,
      incoming,
      method: head.method,
      path: place.path,
      search: target.search,
      credentials,
      whenOver: (work) => void afterwards.push(work),
      record: notes,
    };
    return route.answer(call);
  };

  return {
    handle(incoming) {
      const id = newId();
      const startedAt = ports.tasks.now();
      ports.metrics?.opened();
      const notes: RecordFields = { route: 'none', upstream: null, model: null };
      const afterwards: (() => void)[] = [];
      let ours: RawHeaders = [...corsHeaders(incoming.head, rules), 'x-request-id', id];
      const end = (outcome: Outcome): void => {
        for (const work of afterwards) work();
        const record = {
          id,
          method: incoming.head.method,
          path: pathForLog(incoming.head.target),
          route: notes.route,
          model: notes.model,
          upstream: outcome.upstream ?? notes.upstream,
          attempts: outcome.attempts,
          status: outcome.status,
          bytes: outcome.bytes,
          firstByteMs: outcome.firstByteMs,
          totalMs: ports.tasks.now() - startedAt,
          endedBy: outcome.endedBy,
          error: outcome.error,
        };
        ports.log(levelOf(outcome), 'request', record);
        ports.metrics?.record(record);
      };
      const answer = (reply: Reply): Exchange => {
        if (!(reply instanceof Response)) notes.upstream = reply.requests[0].upstream;
        return { id, startedAt, reply, addedHeaders: ours, end };
      };
      const fail = (thrown: unknown): Exchange => {
        const failure = toFailure(thrown);
        if (failure.code === 'internal_error') {
          ports.log('error', 'request failed unexpectedly', { id, error: describe(failure.cause) });
        }
        return answer(failureResponse(failure));
      };
      try {
        const reply = decide(id, incoming, notes, afterwards, (more) => {
          ours = more === anyOrigin ? [...anyOrigin, 'x-request-id', id] : [...ours, ...more];
        });
        return reply instanceof Promise ? reply.then(answer, fail) : answer(reply);
      } catch (thrown) {
        return fail(thrown);
      }
    },
    drain() {
      draining = true;
    },
    isDraining: () => draining,
  };
}

/** Request ids: unguessable by a per-process part, unique by a count, cheap to make. */
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

function levelOf(outcome: Outcome): LogLevel {
  if (outcome.status >= 500 || outcome.endedBy === 'upstream' || outcome.endedBy === 'timeout') return 'warn';
  return 'info';
}

/** A path as the log may hold it: without the query, in which some clients put keys, and not endless. */
function pathForLog(target: string): string {
  const end = target.indexOf('?');
  return (end < 0 ? target : target.slice(0, end)).slice(0, 200);
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
