import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createEmulator } from './emulator/emulator.ts';
import { sweep } from './files/retention.ts';
import { createGateway } from './gateway.ts';
import { serveFetch } from './platform/node/fetch-server.ts';
import { createNodePlatform } from './platform/node/platform.ts';
import { createPools } from './platform/node/pools.ts';
import { createPulse } from './platform/node/pulse.ts';
import { readSettings } from './platform/node/read-settings.ts';
import { createServer } from './platform/node/server.ts';
import type { Platform } from './platform/platform.ts';
import type { Settings } from './settings/schema.ts';

export type Running = {
  readonly url: string;
  /** Ends the server: new connections are refused, open answers get `drainTimeout` seconds. */
  stop(): Promise<void>;
};

/** Starts the gateway with settings that are known to be right. */
export async function serve(settings: Settings, secrets: readonly string[]): Promise<Running> {
  const emulator = Object.keys(settings.upstreams).length === 0 ? await startEmulator() : null;
  const platform = createNodePlatform(settings, secrets, emulator ? urlOf(emulator) : 'http://127.0.0.1:0');
  const gateway = createGateway(settings, platform);
  const pools = createPools();
  const lane = {
    pools,
    pulse: createPulse(),
    keepAlive: settings.keepAlive,
    maxRelayBytes: settings.maxRelayBytes,
  };
  const server = createServer(gateway, lane);
  await listen(server, settings.port, settings.host);
  const sweeping = sweepEveryHour(platform, settings);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    gateway.drain();
    clearInterval(sweeping);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const patience = setTimeout(() => server.closeAllConnections(), settings.drainTimeout * 1000);
    await closed;
    clearTimeout(patience);
    await platform.drained();
    await pools.close();
    emulator?.closeAllConnections();
    emulator?.close();
  };
  return {
    url: urlOf(server),
    stop: () => (stopping ??= stop()),
  };
}

/** Starts the gateway from the environment and the settings file, and ends it on SIGTERM or SIGINT. */
export async function start(
  env: NodeJS.ProcessEnv,
  options: { configPath?: string | undefined } = {},
): Promise<void> {
  const loaded = await readSettings(env, options);
  if (!loaded.ok) {
    for (const error of loaded.errors) process.stderr.write(`sluice: ${error}\n`);
    process.exitCode = 1;
    return;
  }
  for (const warning of loaded.warnings) process.stderr.write(`sluice: ${warning}\n`);
  if (Object.keys(loaded.settings.upstreams).length === 0) {
    process.stdout.write(
      'No upstream is configured: requests go to the built-in emulator, offline and free. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.\n',
    );
  }
  let running: Running;
  try {
    running = await serve(loaded.settings, loaded.secrets);
  } catch (error) {
    process.stderr.write(`sluice: ${listenError(error as NodeJS.ErrnoException, loaded.settings)}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`sluice listening on ${running.url}\n`);
  let asked = false;
  const end = (): void => {
    // Asked twice, whoever asks does not want to wait.
    if (asked) process.exit(1);
    asked = true;
    void running.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** Deletes what is stored for too long, or too much of it, in the background. */
function sweepEveryHour(platform: Platform, { storedDays, storedBytes }: Settings): NodeJS.Timeout {
  const { blobs } = platform;
  const clean = async (): Promise<void> => {
    if (!blobs) return;
    const limits = { maxAgeSeconds: storedDays * 86_400, maxBytes: storedBytes };
    try {
      const deleted = await sweep(blobs, limits, platform.now());
      if (deleted > 0) platform.log('info', 'old pictures and files were deleted', { deleted });
    } catch (error) {
      platform.log('warn', 'old pictures and files could not be deleted', { error: String(error) });
    }
  };
  return setInterval(() => void clean(), 3_600_000).unref();
}

async function startEmulator(): Promise<Server> {
  const server = serveFetch(createEmulator().fetch);
  await listen(server, 0, '127.0.0.1');
  server.unref();
  return server;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function listenError(error: NodeJS.ErrnoException, settings: Settings): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${settings.port} on ${settings.host} is taken. Set PORT to another one (0 picks a free one).`;
    case 'EACCES':
      return `port ${settings.port} may not be used without more rights. Set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST=${settings.host} is not an address of this machine. Use 127.0.0.1 or 0.0.0.0.`;
    default:
      return `could not start: ${error.message}`;
  }
}

if (process.argv[1] === import.meta.filename) await start(process.env);
