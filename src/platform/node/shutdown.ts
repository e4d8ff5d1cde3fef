import type { Server } from 'node:http';
import { stopListening } from './listen.ts';
import type { RelayContext } from './relay/relay.ts';

/**
 * An idle connection stays open for so long when the gateway stops: a request may be on its way.
 */
const idleGraceMs = 1000;
/** Work after the responses (hiding conversations) has so long to finish, in milliseconds. */
const deferredMs = 5000;

/**
 * Stops a server gently: no new connections, `drainSeconds` for open responses and WebSockets, then
 * whatever is left is cut. `finishDeferred` waits for work that outlives the responses.
 */
export async function shutDown(
  server: Server,
  context: RelayContext,
  drainSeconds: number,
  finishDeferred: () => Promise<void>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => stopListening(server, resolve));
  const idle = setInterval(() => server.closeIdleConnections(), idleGraceMs);
  const deadline = setTimeout(() => {
    context.isCut = true;
    for (const transfer of context.open) transfer.shutDown();
    server.closeAllConnections();
  }, drainSeconds * 1000);
  await closed;
  clearInterval(idle);
  clearTimeout(deadline);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deferredMs);
  });
  await Promise.race([finishDeferred(), late]);
  clearTimeout(timer);
  await context.pools.close();
}

/** Stops on the first signal; exits at once on the second. */
export function onSignals(stop: () => Promise<void>, kill: () => void): void {
  let isStopping = false;
  const end = (): void => {
    if (isStopping) {
      kill();
      process.exit(1);
    }
    isStopping = true;
    void stop().then(() => process.exit(0));
  };
  // A terminal that closes (SIGHUP) and nodemon (SIGUSR2) ask for the same.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, end);
}
