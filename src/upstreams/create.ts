import type { Call } from '../call.ts';
import type { FileStore } from '../files/file-store.ts';
import { linkStem } from '../http/public-url.ts';
import type { Ports } from '../ports/ports.ts';
import type { UpstreamHealth } from '../relay/health.ts';
import type { Timeouts } from '../relay/relay.ts';
import { createSemaphore, type Semaphore } from '../relay/semaphore.ts';
import type { Settings } from '../settings/schema.ts';
import { createBackendUpstream } from './backend-api/upstream.ts';
import { createCompatibleUpstream } from './openai-compatible/upstream.ts';
import type { Upstream } from './upstream.ts';

/**
 * Creates the upstreams of the settings; the built-in emulator, at `emulatorUrl`, if they name
 * none.
 */
export function createUpstreams(
  settings: Settings,
  ports: Ports,
  fileStore: FileStore | null,
  upstreamHealth: UpstreamHealth,
  emulatorUrl: string,
): readonly Upstream[] {
  const common: Timeouts = {
    connect: settings.connectTimeout,
    firstByte: settings.firstByteTimeout,
    idle: settings.idleTimeout,
    total: settings.totalTimeout,
  };
  const named = Object.entries(settings.upstreams);
  if (named.length === 0) {
    const plain = { timeouts: common, whenCallerLeaves: 'cancel', slots: null } as const;
    return [
      createCompatibleUpstream({
        ...plain,
        name: 'emulator',
        url: emulatorUrl,
        keys: null,
        models: null,
        keySetting: 'OPENAI_API_KEY',
        extraHeaders: (call) => [emulatorLinks, emulatorStem(call, settings)],
      }),
      createBackendUpstream(
        {
          ...settings,
          ...plain,
          name: 'emulator-web',
          bases: [`${emulatorUrl}/emulator-web`],
          keys: null,
          totalSeconds: null,
          publicLink: (call, url) => emulatorLink(call, settings, emulatorUrl, url),
        },
        ports,
        fileStore,
        upstreamHealth,
      ),
    ];
  }
  return named.map(([name, upstream]) => {
    const own = {
      name,
      timeouts: { ...common, ...withoutUndefined(upstream.timeouts) },
      whenCallerLeaves: upstream.whenCallerLeaves,
      slots: slotsFor(upstream, ports),
    };
    if (upstream.kind === 'openai')
      return createCompatibleUpstream({
        ...own,
        url: upstream.url,
        keys: upstream.keys,
        models: upstream.models ?? null,
        keySetting: name === 'openai' ? 'OPENAI_API_KEY' : `upstreams.${name}.key`,
      });
    return createBackendUpstream(
      {
        ...settings,
        ...own,
        bases: basesOf(upstream),
        keys: upstream.keys,
        totalSeconds: upstream.timeouts.total ?? null,
      },
      ports,
      fileStore,
      upstreamHealth,
    );
  });
}

/** The header by which the emulator learns how links to it begin. */
const emulatorLinks = 'x-emulator-links';

/**
 * How callers reach the emulator's pictures: through the gateway, like any path below `/v1`. Behind
 * access keys a link would not open, so the emulator puts the pictures into the answer.
 */
function emulatorStem(call: Call, settings: Settings): string {
  return settings.accessKeys.length > 0 ? 'data:' : gatewayApi(call, settings);
}

/**
 * A link of the emulator itself, which may have no address that callers reach, as a link to the
 * gateway.
 */
function emulatorLink(call: Call, settings: Settings, emulatorUrl: string, url: string): string {
  if (!url.startsWith(`${emulatorUrl}/`)) return url;
  return gatewayApi(call, settings) + url.slice(emulatorUrl.length);
}

function gatewayApi(call: Call, { apiPrefix, publicUrl }: Settings): string {
  return `${linkStem(call.incoming, publicUrl)}${apiPrefix === '' ? '' : `/${apiPrefix}`}/v1`;
}

type Limited = { readonly concurrency: number; readonly queue: number; readonly queueSeconds: number };

function slotsFor({ concurrency, queue, queueSeconds }: Limited, ports: Ports): Semaphore | null {
  if (concurrency === 0) return null;
  return createSemaphore({
    limit: concurrency,
    queue: ports.tasks.canQueue ? queue : 0,
    waitMs: queueSeconds * 1000,
  });
}

function withoutUndefined(
  timeouts: { readonly [K in keyof Timeouts]?: number | undefined },
): Partial<Timeouts> {
  return Object.fromEntries(Object.entries(timeouts).filter(([, value]) => value !== undefined));
}

function basesOf({ url, prefix }: { url: string; prefix: readonly string[] }): string[] {
  const stem = url.replace(/\/+$/, '');
  return prefix.length === 0 ? [stem] : prefix.map((each) => (each === '' ? stem : `${stem}/${each}`));
}
