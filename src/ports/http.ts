import type { Gather } from '../streams/gather.ts';

/** What the core needs of a runtime to ask other machines. */
export interface Http {
  /**
   * Asks an upstream. Callers pass `redirect: 'manual'`. With `newConnection` no connection of the
   * pool is reused, as far as the runtime can tell.
   */
  fetch(url: string, init: RequestInit, newConnection?: boolean): Promise<Response>;
  /**
   * Asks an address that a stranger chose; never follows a redirect. Unless `allowPrivate`, the
   * connection must go to a public address, as far as the runtime shows it. Only
   * `http/guarded-fetch.ts` may call it.
   */
  fetchPublic(url: URL, init: RequestInit, allowPrivate: boolean): Promise<Response>;
  /**
   * Opens a WebSocket to an address that an upstream named. Unless `allowPrivate`, the connection
   * must go to a public address, as far as the runtime shows it. Only `http/guarded-socket.ts` may
   * call it.
   */
  openSocket(url: URL, allowPrivate: boolean): WebSocket;
  /** The runtime's own way to gather the chunks of a body, if it has one. */
  readonly gather?: Gather;
}
