import type { Server } from 'node:http';
import { type AddressInfo, type ListenOptions, Server as NetServer } from 'node:net';
import type { Settings } from '../../settings/schema.ts';
import { workerMark } from './cluster/cluster.ts';

/**
 * Connections that may wait to be accepted: thousands of clients come back at once after a break in
 * the network. The system may allow fewer.
 */
const backlog = 4096;

/**
 * Where to listen: on the socket that systemd hands over (`LISTEN_FDS`), else on the settings'
 * address.
 */
export function listenOptions(
  { host, port, reusePort }: Settings,
  env: NodeJS.ProcessEnv,
): ListenOptions & { fd?: number } {
  const isHanded = Number(env.LISTEN_FDS) > 0 && (!env.LISTEN_PID || env.LISTEN_PID === String(process.pid));
  if (isHanded) return { fd: 3 };
  return { host, port, backlog, ...(reusePort || env[workerMark] ? { reusePort: true } : {}) };
}

/** Resolves when the server listens. Rejects if it cannot. */
export function listen(server: Server, options: ListenOptions & { fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * Stops accepting connections. Open ones stay: the server's own `close` would cut idle ones at
 * once, and with them a request that was just sent. Each is closed after its next response.
 */
export function stopListening(server: Server, closed: () => void): void {
  NetServer.prototype.close.call(server, closed);
}

export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Why the server cannot listen, with the setting to change. */
export function listenError(error: NodeJS.ErrnoException, settings: Settings): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${settings.port} on ${settings.host} is in use. Set PORT to another one (0 picks a free one).`;
    case 'EACCES':
      return `port ${settings.port} needs more rights. Set PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST=${settings.host} is not an address of this machine. Use 127.0.0.1 or 0.0.0.0.`;
    case 'ENOTSUP':
      return 'this system cannot share a port between processes. Set WORKERS to 1.';
    default:
      return `could not start: ${error.message}`;
  }
}
