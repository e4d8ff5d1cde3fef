import type { Server } from 'node:http';
import { type AddressInfo, type ListenOptions, Server as NetServer } from 'node:net';
import { extname, join } from 'node:path';
import { createEmulator } from './emulator/emulator.ts';
import { cleanUp } from './files/retention.ts';
import { createGateway } from './gateway.ts';
import { startProcesses, type WorkerMessage, workerMark } from './platform/node/cluster/cluster.ts';
import { answerParent, askParentForCounts } from './platform/node/cluster/metrics-ipc.ts';
import { createLogger } from './platform/node/logger.ts';
import type { NodeMetrics } from './platform/node/metrics.ts';
import { createNodePorts } from './platform/node/ports.ts';
import { readSettings } from './platform/node/read-settings.ts';
import { createPools } from './platform/node/relay/pools.ts';
import { createPulse } from './platform/node/relay/ticker.ts';
import { serveFetch } from './platform/node/serve-fetch.ts';
import { createServer } from './platform/node/server.ts';
import type { BuiltFiles } from './ports/built-files.ts';
import type { Log } from './ports/log.ts';
import type { Ports } from './ports/ports.ts';
import type { Settings } from './settings/schema.ts';

export type Running = {
  readonly url: string;
  /** Ends the server: new connections are refused, open answers get `drainTimeout` seconds. */
  stop(): Promise<void>;
};

/** Starts the gateway with settings that are known to be right. */
export async function serve(settings: Settings, secrets: readonly string[]): Promise<Running> {
  const metrics = settings.metricsKey === undefined ? null : await countRequests();
  const emulator = Object.keys(settings.upstreams).length === 0 ? await startEmulator() : null;
  const ports = createNodePorts(settings, secrets, metrics);
  const gateway = createGateway(settings, ports, {
    pages: await builtPages(),
    emulatorUrl: emulator ? urlOf(emulator) : 'http://127.0.0.1:0',
  });
  const pools = createPools();
  const lane = {
    pools,
    pulse: createPulse(),
    keepAlive: settings.keepAlive,
    maxRelayBytes: settings.maxRelayBytes,
  };
  const server = createServer(gateway, lane);
  await listen(server, listenOptions(settings, process.env));
  const sweeping = sweepEveryHour(ports, settings);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    gateway.drain();
    clearInterval(sweeping);
    const closed = new Promise<void>((resolve) => stopListening(server, resolve));
    const idle = setInterval(() => server.closeIdleConnections(), idleGraceMs);
    const patience = setTimeout(() => server.closeAllConnections(), settings.drainTimeout * 1000);
    await closed;
    clearInterval(idle);
    clearTimeout(patience);
    await ports.drained();
    await pools.close();
    emulator?.closeAllConnections();
    emulator?.close();
  };
  return {
    url: urlOf(server),
    stop: () => (stopping ??= stop()),
  };
}

/** Connections that may wait to be taken: thousands of clients come back at once after a break in the network. The system may allow fewer. */
const backlog = 4096;

/** How long an idle connection stays open for a request that is on its way already, when the gateway is asked to end. */
const idleGraceMs = 1000;

/**
 * Stops taking connections. Those that are there stay: the server's own `close` would cut idle ones in the same moment, and with them a request
 * that was just sent. Each is told to close by its next answer.
 */
function stopListening(server: Server, closed: () => void): void {
  NetServer.prototype.close.call(server, closed);
}

/** Where to listen: on a socket that whoever started us holds (systemd's `LISTEN_FDS`), else on the address of the settings. */
function listenOptions(
  { host, port, reusePort }: Settings,
  env: NodeJS.ProcessEnv,
): ListenOptions & { fd?: number } {
  const given = Number(env.LISTEN_FDS) > 0 && (!env.LISTEN_PID || env.LISTEN_PID === String(process.pid));
  if (given) return { fd: 3 };
  return { host, port, backlog, ...(reusePort || env[workerMark] ? { reusePort: true } : {}) };
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
  if (!env[workerMark]) for (const warning of loaded.warnings) process.stderr.write(`sluice: ${warning}\n`);
  if (Object.keys(loaded.settings.upstreams).length === 0 && !env[workerMark]) {
    process.stdout.write(
      'No upstream is configured: requests go to the built-in emulator, offline and free. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.\n',
    );
  }
  const { settings, secrets } = loaded;
  const log = createLogger(settings.logLevel, secrets);
  // One request that goes wrong in a way nobody foresaw must not take the others with it.
  process.on('uncaughtException', (error) =>
    log('error', 'an error that nobody caught', { error: String(error.stack ?? error) }),
  );
  process.on('unhandledRejection', (error) =>
    log('error', 'a rejection that nobody handled', {
      error: String((error as Error | null)?.stack ?? error),
    }),
  );
  try {
    if (settings.workers > 1 && !env[workerMark]) await startSeveral(settings, env, options.configPath, log);
    else await startOne(settings, secrets);
  } catch (error) {
    process.stderr.write(`sluice: ${listenError(error as NodeJS.ErrnoException, settings)}\n`);
    process.exitCode = 1;
  }
}

async function startOne(settings: Settings, secrets: readonly string[]): Promise<void> {
  const running = await serve(settings, secrets);
  if (process.send) {
    process.send({ listening: running.url } satisfies WorkerMessage);
    // Without a parent there is nobody to end us later.
    process.once('disconnect', () => void running.stop().then(() => process.exit(0)));
  } else process.stdout.write(`sluice listening on ${running.url}\n`);
  onSignals(
    () => running.stop(),
    () => {},
  );
}

async function startSeveral(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  configPath: string | undefined,
  log: Log,
): Promise<void> {
  const processes = await startProcesses(
    join(import.meta.dirname, `main${extname(import.meta.filename)}`),
    settings.workers,
    { ...env, ...(configPath === undefined ? {} : { SLUICE_CONFIG: configPath }) },
    (line) => log('warn', line),
  );
  process.stdout.write(`sluice listening on ${processes.url}\n`);
  onSignals(() => processes.stop('SIGTERM'), processes.kill);
}

/** Ends on the first signal once all is done, on the second at once: whoever asks twice does not want to wait. */
function onSignals(stop: () => Promise<void>, kill: () => void): void {
  let asked = false;
  const end = (): void => {
    if (asked) {
      kill();
      process.exit(1);
    }
    asked = true;
    void stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** Deletes what is stored for too long, or too much of it, in the background. */
function sweepEveryHour(ports: Ports, settings: Settings): NodeJS.Timeout {
  const clean = () =>
    cleanUp(ports, settings).catch((error: unknown) =>
      ports.log('warn', 'old pictures and files could not be deleted', { error: String(error) }),
    );
  return setInterval(() => void clean(), 3_600_000).unref();
}

/** The pages, where they were built: beside the sources, or beside what the package is made of. */
async function builtPages(): Promise<BuiltFiles | null> {
  for (const path of ['../dist/pages/files.js', '../pages/files.js']) {
    const { files } = await import(new URL(path, import.meta.url).href).catch(() => ({}));
    if (files) return files as BuiltFiles;
  }
  return null;
}

/** Counts requests; together with the other processes where this is one of several. */
async function countRequests(): Promise<NodeMetrics> {
  const { createMetrics } = await import('./platform/node/metrics.ts');
  const metrics = createMetrics(process.env[workerMark] ? askParentForCounts : null);
  if (process.env[workerMark]) answerParent(() => metrics.own());
  return metrics;
}

async function startEmulator(): Promise<Server> {
  const server = serveFetch(createEmulator().fetch);
  await listen(server, { port: 0, host: '127.0.0.1' });
  server.unref();
  return server;
}

function listen(server: Server, options: ListenOptions & { fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
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
    case 'ENOTSUP':
      return 'this system cannot share a port between processes. Set WORKERS to 1.';
    default:
      return `could not start: ${error.message}`;
  }
}
