import { extname, join } from 'node:path';
import { cleanUp } from './files/retention.ts';
import { createGateway } from './gateway.ts';
import { relayByFetch } from './platform/fetch/relay.ts';
import { urlOf } from './platform/node/listen.ts';
import { createNodePorts } from './platform/node/ports.ts';
import { builtPages, createProcessMetrics, runServer, serveOnLoopback } from './platform/node/serve.ts';
import { type Running, startFrom } from './platform/node/start.ts';
import type { Settings } from './settings/schema.ts';

export type { Running };

/** Starts the gateway with settings that are known to be valid. */
export async function serve(settings: Settings, secrets: readonly string[]): Promise<Running> {
  const ports = createNodePorts(settings, secrets, cleanUp);
  const emulator = Object.keys(settings.upstreams).length === 0 ? await startEmulator() : null;
  const gateway = createGateway(settings, ports, {
    pages: await builtPages(import.meta.url),
    emulatorUrl: emulator ? urlOf(emulator) : 'http://127.0.0.1:0',
    metrics: await createProcessMetrics(settings, secrets),
    fetchRelay: relayByFetch({ ...settings, fetch: ports.http.fetch }),
  });
  const sweep = (): Promise<void> =>
    cleanUp(ports, settings).catch((error: unknown) =>
      ports.log('warn', 'old pictures and files could not be deleted', { error: String(error) }),
    );
  return runServer(gateway, settings, ports, sweep, emulator);
}

/**
 * Starts the gateway from the environment and the settings file, and ends it on SIGTERM or SIGINT.
 */
export function start(
  env: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined } = {},
): Promise<void> {
  const entry = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
  return startFrom(env, serve, { ...options, entry });
}

/** The emulator, loaded only if no upstream is configured. */
async function startEmulator(): ReturnType<typeof serveOnLoopback> {
  const { createEmulator } = await import('./emulator/emulator.ts');
  return serveOnLoopback(createEmulator().fetch);
}
