import { createChatCompletions } from './api/chat-completions.ts';
import { createDoctorStream } from './api/doctor.ts';
import { createFiles, createImageUpload } from './api/files.ts';
import { createForward } from './api/forward.ts';
import { health, readiness } from './api/health.ts';
import { createImages } from './api/images.ts';
import { metricsPage } from './api/metrics.ts';
import { createModels, type FetchRelay } from './api/models.ts';
import { createStored } from './api/public-files.ts';
import { createRootChat } from './api/root-chat.ts';
import type { FileStore } from './files/file-store.ts';
import type { Metrics } from './observe/record.ts';
import { createBuiltPages } from './pages/built.ts';
import { createLlmsText } from './pages/llms.ts';
import { createOpenApi } from './pages/openapi.ts';
import { createStartPage } from './pages/start.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { Ports } from './ports/ports.ts';
import type { UpstreamHealth } from './relay/health.ts';
import { type Methods, type Route, type RouteTable, readOnly } from './routes.ts';
import { botStyle, markdownStyle } from './segments/style.ts';
import type { Settings } from './settings/schema.ts';
import type { ModelRouter } from './upstreams/model-router.ts';
import type { Plan } from './upstreams/relay-plan.ts';

/** What the routes are made of. */
type Parts = {
  readonly settings: Settings;
  readonly ports: Ports;
  readonly pages: BuiltFiles | null;
  readonly modelRouter: ModelRouter;
  readonly upstreamHealth: UpstreamHealth;
  readonly plan: Plan;
  /** Where pictures and files are kept; null if there is no storage. */
  readonly fileStore: FileStore | null;
  readonly fetchRelay: FetchRelay;
  readonly metrics: Metrics | null;
  isDraining(): boolean;
};

/** Makes all routes. */
export function createRouteTable(parts: Parts): RouteTable {
  const { settings, ports, fileStore, modelRouter, plan } = parts;
  const { forward, model, readBody, withBody } = createForward(modelRouter, plan, settings.maxBodyBytes, {
    chat: createChatCompletions(
      { ...settings, style: settings.botMode.enabled ? botStyle(settings.botMode) : markdownStyle },
      ports,
    ),
    images: createImages({ ...settings, promptPrefix: settings.imagePromptPrefix }, ports),
    files: createFiles(fileStore, ports, settings),
  });
  return {
    local: new Map([
      ...pageRoutes(parts),
      ...operatorRoutes(parts),
      [
        '/',
        {
          ...readOnly({ name: '/', guard: 'public', answer: createStartPage(parts) }),
          POST: {
            name: 'POST /',
            guard: 'caller',
            answer: createRootChat(withBody, readBody),
          },
        },
      ],
      [
        '/image/upload',
        {
          PUT: {
            name: 'PUT /image/upload',
            guard: 'caller',
            answer: createImageUpload(fileStore, settings),
          },
        },
      ],
    ] as readonly (readonly [string, Methods])[]),
    stored: {
      name: '/{images,files}/{name}',
      guard: 'public',
      anyOrigin: true,
      answer: createStored(fileStore),
    },
    // Our own scripts may be loaded by a frame that has another origin. They hold nothing private.
    asset: { name: 'page', guard: 'public', anyOrigin: true, answer: createBuiltPages(parts.pages) },
    models: readOnly({ name: '/v1/models', guard: 'caller', answer: createModels(parts) }),
    model: { name: '/v1/models/{id}', guard: 'caller', answer: model },
    api: { name: '/v1/*', guard: 'caller', answer: forward },
    dashboard: { name: '/dashboard/*', guard: 'caller', answer: forward },
  };
}

/** Pages for browsers, and the descriptions of the API. */
function pageRoutes({ settings, pages }: Parts): readonly (readonly [string, Methods])[] {
  const page: Route = { name: 'page', guard: 'public', answer: createBuiltPages(pages) };
  const described: readonly (readonly [string, Route['answer']])[] = [
    ['/openapi.json', createOpenApi(settings.publicUrl)],
    ['/llms.txt', createLlmsText(settings.publicUrl)],
  ];
  return [
    ...['/balance', '/play', '/doctor', '/other-origin'].flatMap((path) => [
      [path, readOnly(page)] as const,
      [`${path}/`, readOnly({ ...page, answer: () => redirectTo(`..${path}`) })] as const,
    ]),
    ...described.map(
      ([path, answer]) => [path, readOnly({ name: path, guard: 'public', anyOrigin: true, answer })] as const,
    ),
    [
      '/doctor/stream',
      readOnly({ name: '/doctor/stream', guard: 'caller', answer: createDoctorStream(settings.publicUrl) }),
    ],
  ];
}

/** Health and metrics. */
function operatorRoutes(parts: Parts): readonly (readonly [string, Methods])[] {
  const { settings, upstreamHealth } = parts;
  const open = (name: string, answer: Route['answer']) =>
    [name, readOnly({ name, guard: 'public', answer })] as const;
  const metrics =
    parts.metrics && settings.metricsKey !== undefined
      ? [
          [
            '/metrics',
            readOnly({ name: '/metrics', guard: 'metrics', answer: metricsPage(parts.metrics) }),
          ] as const,
        ]
      : [];
  return [
    ...['/livez', '/health', '/healthz'].map((path) => open(path, health)),
    open('/readyz', () => readiness(parts.isDraining(), upstreamHealth.isDown())),
    ...metrics,
  ];
}

function redirectTo(location: string): Response {
  return new Response(null, { status: 308, headers: { location } });
}
