import { type ConversionOptions, createChatCompletions } from './api/chat-completions.ts';
import { createDoctorStream } from './api/doctor.ts';
import { createFiles, createImageUpload } from './api/files.ts';
import { createForward } from './api/forward.ts';
import { health, readiness } from './api/health.ts';
import { createImages } from './api/images.ts';
import { createMetricsPage } from './api/metrics.ts';
import { createModels } from './api/models.ts';
import { createStored } from './api/public-files.ts';
import { createRootChat } from './api/root-chat.ts';
import type { Call } from './call.ts';
import type { FileStore } from './files/file-store.ts';
import { Failure } from './http/failure.ts';
import { isStored, type Place } from './http/request-target.ts';
import { createBuiltPages } from './pages/built.ts';
import { createLlmsText } from './pages/llms.ts';
import { createOpenApi } from './pages/openapi.ts';
import { createStartPage } from './pages/start.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { Ports } from './ports/ports.ts';
import type { UpstreamHealth } from './relay/health.ts';
import type { Reply } from './reply.ts';
import { botStyle, markdownStyle } from './segments/style.ts';
import type { Settings } from './settings/schema.ts';
import type { ModelRouter } from './upstreams/model-router.ts';
import type { Plan } from './upstreams/relay-plan.ts';

/** What is answered at one path. `open` routes ask for no key and look at no origin. */
export type Route = {
  readonly name: string;
  readonly open: boolean;
  /** Whether pages of any origin may read the answer, whatever the settings say of origins: the path itself is the secret. */
  readonly anyOrigin?: true;
  answer(call: Call): Reply | Promise<Reply>;
};

/** What the routes are made of. */
export type House = {
  readonly settings: Settings;
  readonly modelRouter: ModelRouter;
  readonly upstreamHealth: UpstreamHealth;
  readonly plan: Plan;
  readonly ports: Ports;
  readonly pages: BuiltFiles | null;
  /** Where pictures and files are kept; null where there is no place for them. */
  readonly fileStore: FileStore | null;
  isDraining(): boolean;
};

/** Finds the route of a request. Throws a 404 for a path that is none of ours, a 405 for a method it does not take. */
export function createRoutes(house: House): (place: Place, method: string) => Route {
  const { forward, model, withBody } = createForward(
    house.modelRouter,
    house.plan,
    house.settings.maxBodyBytes,
    {
      chat: createChatCompletions(conversionOptions(house.settings), house.ports),
      images: createImages(
        { ...house.settings, promptPrefix: house.settings.imagePromptPrefix },
        house.ports,
      ),
      files: createFiles(house.fileStore, house.ports, house.settings),
    },
  );
  const stored: Route = {
    name: '/{images,files}/{name}',
    open: true,
    anyOrigin: true,
    answer: createStored(house.fileStore),
  };
  const forwardRoute: Route = { name: '/v1/*', open: false, answer: forward };
  const modelRoute: Route = { name: '/v1/models/{id}', open: false, answer: model };
  const dashboard: Route = { name: '/dashboard/*', open: false, answer: forward };
  const start: Route = { name: '/', open: true, answer: createStartPage(house) };

  const local = new Map<string, Readonly<Record<string, Route>>>([
    [
      '/',
      {
        GET: start,
        HEAD: start,
        POST: { name: 'POST /', open: false, answer: createRootChat(withBody, house.settings.maxBodyBytes) },
      },
    ],
    [
      '/image/upload',
      {
        PUT: {
          name: 'PUT /image/upload',
          open: false,
          answer: createImageUpload(house.fileStore, house.settings),
        },
      },
    ],
    ...['/livez', '/health', '/healthz'].map((path) => [path, readOnly(path, health)] as const),
    ['/readyz', readOnly('/readyz', () => readiness(house.isDraining(), house.upstreamHealth.isDown()))],
  ]);
  const page: Route = { name: 'page', open: true, answer: createBuiltPages(house.pages) };
  // A script of ours may be loaded by the frame that has another origin; it holds nothing of anybody.
  const asset: Route = { ...page, anyOrigin: true };
  for (const path of ['/balance', '/play', '/doctor', '/other-origin']) {
    local.set(path, { GET: page, HEAD: page });
    local.set(
      `${path}/`,
      readOnly('page', () => new Response(null, { status: 308, headers: { location: `..${path}` } })),
    );
  }
  local.set(
    '/doctor/stream',
    readOnly('/doctor/stream', createDoctorStream(house.settings.publicUrl), false),
  );
  for (const [path, answer] of [
    ['/openapi.json', createOpenApi(house.settings.publicUrl)],
    ['/llms.txt', createLlmsText(house.settings.publicUrl)],
  ] as const) {
    const route: Route = { name: path, open: true, anyOrigin: true, answer };
    local.set(path, { GET: route, HEAD: route });
  }
  const { metricsKey } = house.settings;
  if (house.ports.metrics && metricsKey !== undefined)
    local.set('/metrics', readOnly('/metrics', createMetricsPage(house.ports.metrics, metricsKey)));
  const models = readOnly('/v1/models', createModels(house), false);

  return (place, method) => {
    if (place.kind === 'api') {
      if (method === 'TRACE' || method === 'CONNECT')
        throw notAllowed(method, 'GET, POST, PUT, PATCH, DELETE');
      if (place.path === '/v1/models' || place.path === '/v1/models/') return models[method] ?? forwardRoute;
      if (place.path.startsWith('/v1/models/') && method === 'GET') return modelRoute;
      return place.path.startsWith('/v1/') ? forwardRoute : dashboard;
    }
    if (place.kind === 'local' && (method === 'GET' || method === 'HEAD') && isStored(place.path))
      return stored;
    if (
      place.kind === 'local' &&
      (method === 'GET' || method === 'HEAD') &&
      place.path.startsWith('/assets/')
    )
      return asset;
    const methods = place.kind === 'local' ? local.get(place.path) : undefined;
    if (!methods) {
      throw new Failure(
        'not_found',
        `There is nothing at this path. The API is under ${house.settings.apiPrefix ? 'the API prefix of this gateway, then ' : ''}/v1: try GET /v1/models.`,
      );
    }
    const route = methods[method];
    if (!route) throw notAllowed(method, Object.keys(methods).join(', '));
    return route;
  };
}

function conversionOptions({
  botMode,
  keepAlive,
  nonStreamKeepAlive,
  pace,
  totalTimeout,
}: Settings): ConversionOptions {
  return {
    style: botMode.enabled ? botStyle(botMode) : markdownStyle,
    keepAlive,
    nonStreamKeepAlive,
    pace,
    totalTimeout,
  };
}

function readOnly(name: string, answer: Route['answer'], open = true): Readonly<Record<string, Route>> {
  const route: Route = { name, open, answer };
  return { GET: route, HEAD: route };
}

function notAllowed(method: string, allow: string): Failure {
  return new Failure('method_not_allowed', `${method} is not possible here. This path takes ${allow}.`, {
    headers: { allow },
  });
}
