import type { Server } from 'node:http';
import type { BuiltFiles } from '../../ports/built-files.ts';
import type { Settings } from '../../settings/schema.ts';
import { workerMark } from './cluster/cluster.ts';
import { answerParent, askParentForCounts } from './cluster/metrics-ipc.ts';
import { listen, listenOptions, urlOf } from './listen.ts';
import type { NodeMetrics } from './metrics.ts';
import { createProxyFor } from './outbound-proxy.ts';
import type { NodePorts } from './ports.ts';
import { Pools } from './relay/pools.ts';
import type { RelayContext } from './relay/relay.ts';
import { Ticker } from './relay/ticker.ts';
import { serveFetch } from './serve-fetch.ts';
import { createServer, type Handler } from './server.ts';
import { shutDown } from './shutdown.ts';
import type { Running } from './start.ts';

/** What a server serves: a gateway that can be drained. */
type Served = Handler & { drain(): void };

/** Listens for a gateway, and gives the way to stop it. */
export async function runServer(
  gateway: Served,
  settings: Settings,
  ports: NodePorts,
  sweep: () => Promise<void>,
  emulator: Server | null,
): Promise<Running> {
  const context: RelayContext = {
    pools: new Pools(createProxyFor(settings)),
    ticker: new Ticker(),
    keepAlive: settings.keepAlive,
    maxRelayBytes: settings.maxRelayBytes,
    open: new Set(),
    isCut: false,
  };
  const server = createServer(gateway, context, settings.idleTimeout);
  await listen(server, listenOptions(settings, process.env));
  const sweeping = setInterval(() => void sweep(), 3_600_000).unref();
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    gateway.drain();
    clearInterval(sweeping);
    await shutDown(server, context, settings.drainTimeout, () => ports.drained());
    emulator?.closeAllConnections();
    emulator?.close();
  };
  return { url: urlOf(server), stop: () => (stopping ??= stop()) };
}

/** The metrics of this process; together with those of the others if it is one of several. */
export async function createProcessMetrics(
  { metricsKey }: Settings,
  secrets: readonly string[],
): Promise<NodeMetrics | null> {
  if (metricsKey === undefined) return null;
  const { createMetrics } = await import('./metrics.ts');
  const isWorker = process.env[workerMark] !== undefined;
  const metrics = createMetrics(isWorker ? askParentForCounts : null, secrets);
  if (isWorker) answerParent(() => metrics.own());
  return metrics;
}

/** The pages, if they were built: beside the sources, or beside what the package is made of. */
export async function builtPages(base: string): Promise<BuiltFiles | null> {
  for (const path of ['../dist/pages/files.js', '../pages/files.js']) {
    const { files } = await import(new URL(path, base).href).catch(() => ({}));
    if (files) return files as BuiltFiles;
  }
  return null;
}

/** Serves a fetch handler on a free port of the loopback address. */
export async function serveOnLoopback(fetch: (request: Request) => Promise<Response>): Promise<Server> {
  const server = serveFetch(fetch);
  await listen(server, { port: 0, host: '127.0.0.1' });
  server.unref();
  return server;
}
