import type { buildConnector, Dispatcher } from 'undici';
import type { Timeouts } from '../../../relay/relay.ts';
import { connectionsTo, type ProxyFor } from '../outbound-proxy.ts';
import { skipContinue } from '../skip-continue.ts';

/** Connections to upstreams, kept open between requests: one pool for each origin. */
export class Pools {
  readonly #pools = new Map<string, Dispatcher>();
  readonly #proxyFor: ProxyFor;
  /**
   * True while a connection reset is handled. undici takes a reset for the end of a response that
   * has no length (`onHttpSocketError` in its client-h1.js); with this, our handler can tell.
   */
  isReset = false;

  constructor(proxyFor: ProxyFor = () => null) {
    this.#proxyFor = proxyFor;
  }

  for(origin: string, timeouts: Timeouts): Dispatcher {
    let pool = this.#pools.get(origin);
    if (!pool) {
      const options = {
        connect: { timeout: timeouts.connect * 1000 },
        // All waiting is measured by the transfer.
        headersTimeout: 0,
        bodyTimeout: 0,
        // One connection carries one response at a time; a stream can be cut without cutting
        // others.
        allowH2: false,
        pipelining: 1,
      };
      pool = connectionsTo(origin, options, this.#proxyFor, (connector) =>
        this.#watched(skipContinue(connector)),
      );
      this.#pools.set(origin, pool);
    }
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  /** A connector whose connections tell when they are reset. */
  #watched(connect: buildConnector.connector): buildConnector.connector {
    return (options, callback) =>
      connect(options, (...result) => {
        // Listens before undici does, in the same event.
        result[1]?.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET') return;
          this.isReset = true;
          queueMicrotask(() => {
            this.isReset = false;
          });
        });
        callback(...result);
      });
  }
}
