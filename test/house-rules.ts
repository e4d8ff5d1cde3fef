/**
 * The rules of the house as data. `test/house.test.ts` checks them.
 * Lists named "exceptions" may only shrink: an entry that is no longer needed fails the test.
 */

/** Rooms: folders of `src/`, folders of `src/platform/`, and files at the root of `src/`. */
export function roomOf(path: string): string {
  const [, folder = '', inner = ''] = path.split('/');
  if (inner === '') return folder;
  return folder === 'platform' ? `platform/${inner}` : folder;
}

const web = ['http', 'streams'];
const nouns = ['call.ts', 'reply.ts'];
const stored = ['ports', 'files'];

/** Which rooms a room may import, besides itself. Types count as imports. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  http: ['streams'],
  streams: ['http'],
  openai: ['streams', 'segments'],
  segments: ['streams', 'openai'],
  relay: web,
  ports: web,
  access: [...web, 'ports'],
  limits: [...web, 'ports', 'access', 'usage', 'observe'],
  usage: [...web, 'ports', 'access', 'limits', 'observe'],
  observe: [...web, 'ports', 'access', 'limits', 'usage'],
  files: [...web, 'ports'],
  settings: ['http'],
  upstreams: [...web, ...stored, 'call.ts', 'relay', 'access', 'observe', 'openai', 'segments', 'settings'],
  // The public API on top of segments. Of the upstreams it knows upstream.ts alone.
  dialects: [...web, 'openai', 'segments', 'upstreams'],
  api: [
    ...web,
    ...stored,
    ...nouns,
    'relay',
    'access',
    'limits',
    'usage',
    'observe',
    'upstreams',
    'dialects',
  ],
  admin: [
    ...web,
    ...stored,
    ...nouns,
    'relay',
    'access',
    'limits',
    'usage',
    'observe',
    'upstreams',
    'dialects',
  ],
  pages: [...web, ...nouns, 'ports'],
  // The page in the browser runs the doctor too.
  doctor: ['openai'],
  emulator: ['openai'],
  'platform/fetch': [...web, 'reply.ts', 'relay', 'ports'],
  'platform/memory': [...web, 'relay', 'ports'],
  'platform/node': [
    ...web,
    'reply.ts',
    'relay',
    'ports',
    'observe',
    'settings',
    'platform/fetch',
    'platform/memory',
  ],
  'platform/workers': [...web, 'relay', 'ports', 'observe', 'platform/fetch', 'platform/memory'],
  cli: ['settings', 'doctor', 'files', 'observe', 'upstreams', 'platform/node', 'node.ts'],
};

/** Rooms that may import anything but the platforms. */
export const everythingButPlatform = [
  'gateway.ts',
  'open-request.ts',
  'routes.ts',
  'route-table.ts',
  'call.ts',
  'reply.ts',
];

/** The entries choose the platform, so they may import anything. */
export const entries = ['main.ts', 'node.ts', 'worker.ts'];

/** Imports between rooms that the table does not allow yet, and what removes each. */
export const importExceptions: Readonly<Record<string, string>> = {
  'api → openai': 'the writers of the public API move to dialects/',
  'api → segments': 'the writers of the public API move to dialects/',
  'api → settings': 'api/files.ts takes the fields that it uses',
  'files → access': 'files/uploads.ts takes the name of the caller',
  'http → ports': 'the type of fetch moves to http/',
  'pages → relay': 'pages/start.ts takes the health as data',
  'platform/node → openai': 'the token counter moves to the entry',
  'platform/workers → emulator': 'the entry chooses the emulator',
  'platform/workers → files': 'the R2 driver gets type and name from its caller',
};

/** Circles of files that are not untied yet: every file that is in one. */
export const circularFiles: readonly string[] = [
  'src/emulator/backend/backend.ts',
  'src/emulator/backend/uploads.ts',
  'src/emulator/emulator.ts',
  'src/emulator/openai/audio.ts',
  'src/emulator/openai/billing.ts',
  'src/emulator/openai/chat.ts',
  'src/emulator/openai/completions.ts',
  'src/emulator/openai/embeddings.ts',
  'src/emulator/openai/files.ts',
  'src/emulator/openai/images.ts',
  'src/emulator/openai/models.ts',
  'src/emulator/openai/moderations.ts',
  'src/emulator/openai/responses.ts',
  'src/emulator/openai/stream.ts',
];

/** Circles of rooms that are not untied yet: every room that is in one. */
export const circularRooms: readonly string[] = [];

export const fileBudget = 250;

/** Files over the budget, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {
  'src/settings/schema.ts': 'a table: every setting, declared once',
  'src/emulator/backend/script.ts': 'a table: every turn that the emulator can play',
  'src/upstreams/backend-api/client.ts': 'a table: every call of the upstream, one function each',
  'src/relay/transfer.ts': 'the life of a relayed request: one state machine, one exit',
  'src/platform/fetch/wire.ts': 'one runtime of that state machine',
};

export const functionBudget = 60;

const factory = 'a factory: short closures over one state';
const table = 'a table';

/** Functions over the budget, each with its reason. */
export const longFunctions: Readonly<Record<string, string>> = {
  'src/api/forward.ts createForward': factory,
  'src/api/images.ts createImages': factory,
  'src/emulator/backend/backend.ts createBackend': factory,
  'src/emulator/backend/sockets.ts createSocketBackend': factory,
  'src/emulator/backend/uploads.ts createUploads': factory,
  'src/emulator/openai/responses.ts responses': 'to be split by event',
  'src/gateway.ts createGateway': factory,
  'src/openai/sse.ts createSseReader': factory,
  'src/pages/openapi.ts openApi': table,
  'src/platform/node/metrics.ts createMetrics': table,
  'src/platform/node/stores/disk-blobs.ts createDiskBlobs': factory,
  'src/segments/writer.ts createWriter': factory,
  'src/upstreams/backend-api/client.ts createClient': factory,
  'src/upstreams/backend-api/decode/decode.ts createDecoder': factory,
  'src/upstreams/backend-api/reduce/markers.ts createMarkerParser': factory,
  'src/upstreams/backend-api/reduce/reduce.ts createReducer': factory,
  'src/upstreams/backend-api/turn.ts createTurnReader': factory,
  'src/upstreams/backend-api/upload.ts createUploader': factory,
  'src/upstreams/backend-api/upstream.ts createBackendUpstream': factory,
  'src/api/choices.ts createChoice': factory,
  'src/files/file-store.ts createFileStore': factory,
  'src/platform/memory/blob-quota.ts withQuota': factory,
  'src/platform/node/stores/redis-cache.ts createRedisCache': factory,
  'src/platform/node/stores/s3-client.ts createS3Requests': factory,
  'src/relay/event-stream.ts createEventStream': factory,
  'src/relay/semaphore.ts createSemaphore': factory,
  'src/segments/block-writer.ts createBlockWriter': factory,
  'src/segments/fence.ts createFence': factory,
  'src/streams/limit-transfer.ts limitTransfer': factory,
  'src/upstreams/backend-api/frames.ts createFrameReader': factory,
  'src/upstreams/backend-api/publish.ts createPublisher': factory,
  'src/upstreams/backend-api/reduce/answer.ts createAnswer': factory,
  'src/upstreams/backend-api/reduce/text-diff.ts createTextDiff': factory,
  'src/upstreams/backend-api/run-turn.ts runTurn': factory,
  'src/api/models.ts createModels': factory,
  'src/emulator/emulator.ts createEmulator': factory,
  'src/platform/workers/gather.ts gatherNatively': factory,
  'src/settings/load.ts loadSettings': factory,
  'src/streams/gather.ts gatherChunks': factory,
  'src/upstreams/backend-api/socket.ts listen': factory,
  'src/settings/rules.ts checkTogether': table,
  'src/upstreams/create.ts createUpstreams': factory,
  'src/upstreams/model-router.ts createModelRouter': factory,
};

export const commentWidth = 100;

/** Words that a reader whose second language is English has to look up. */
export const bannedWords =
  /\b(whoever|nobody|somebody|whither|(?:is|are) told|goes without|of its own|mend(?:s|ed|ing)?|rightly|where it may)\b/i;

/** Folders whose comments and strings keep the rules. "src" would include all below it. */
export const plainFolders: readonly string[] = ['bench', 'scripts', 'src', 'web/src'];
