import { env } from 'cloudflare:workers';
import { files } from '../dist/pages/files.js';
import { cleanUp } from './files/retention.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { errorBody, Failure } from './http/failure.ts';
import { type FetchRelayOptions, relayByFetch } from './platform/fetch/relay.ts';
import { webIncoming } from './platform/fetch/request.ts';
import { respond } from './platform/fetch/respond.ts';
import { createPipe } from './platform/workers/pipe.ts';
import { createWorkersPorts, emulatorOrigin } from './platform/workers/ports.ts';
import type { Ports } from './ports/ports.ts';
import { loadSettings } from './settings/load.ts';
import type { Settings } from './settings/schema.ts';

type Served =
  | { gateway: Gateway; ports: Ports; settings: Settings; relay: FetchRelayOptions }
  | { errors: readonly string[] };

/**
 * Chunks of a response that pass through JavaScript before the runtime carries the rest: the first
 * ones show that the stream flows.
 */
const watchedChunks = 3;

/** Made once per isolate, from the Worker's variables and secrets. */
const served = start(env as unknown as Record<string, unknown>);

export function start(bindings: Record<string, unknown>): Served {
  const variables: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(bindings))
    if (typeof value === 'string') variables[name] = value;
  const loaded = loadSettings({ env: variables, platform: 'workers' });
  if (!loaded.ok) {
    for (const error of loaded.errors) console.error(JSON.stringify({ level: 'error', message: error }));
    return { errors: loaded.errors };
  }
  const { settings } = loaded;
  const ports = createWorkersPorts(settings.logLevel, loaded.secrets, bindings, settings.storedBytes);
  const relay: FetchRelayOptions = {
    ...settings,
    fetch: ports.http.fetch,
    createPipe,
    ...(settings.watch === 'start' ? { watchedChunks } : {}),
  };
  for (const warning of loaded.warnings) ports.log('warn', warning);
  return {
    gateway: createGateway(loaded.settings, ports, {
      pages: files,
      emulatorUrl: emulatorOrigin,
      fetchRelay: relayByFetch(relay),
      // Processes come and go there, so nothing can be counted.
      metrics: null,
    }),
    relay,
    ports,
    settings: loaded.settings,
  };
}

export async function serve(request: Request, served: Served): Promise<Response> {
  if ('errors' in served) return misconfigured(request, served.errors);
  const incoming = webIncoming(request);
  const exchange = await served.gateway.handle(incoming);
  return respond(exchange, incoming, served.ports.tasks, served.relay);
}

/**
 * A Worker cannot refuse to start, so each response and each log line says what is wrong. Errors
 * hold no secret. A preflight succeeds, or a web page would see a CORS error instead of the
 * message.
 */
function misconfigured(request: Request, errors: readonly string[]): Response {
  const cors = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? '*',
    'access-control-allow-methods': request.headers.get('access-control-request-method') ?? '*',
  };
  if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: cors });
  for (const error of errors) console.error(JSON.stringify({ level: 'error', message: error }));
  const failure = new Failure('unavailable', `sluice is misconfigured: ${errors.join(' ')}`);
  return Response.json(errorBody(failure), { status: 503, headers: cors });
}

/**
 * Deletes what is stored for too long, or too much of it: run by the cron trigger of
 * wrangler.jsonc.
 */
export async function clean(served: Served): Promise<void> {
  if (!('errors' in served)) await cleanUp(served.ports, served.settings);
}

export default {
  fetch: (request: Request) => serve(request, served),
  scheduled: () => clean(served),
};
