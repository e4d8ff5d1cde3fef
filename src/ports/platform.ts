import type { Metrics } from '../observe/record.ts';
import type { Blobs } from './blobs.ts';
import type { BuiltFiles } from './built-files.ts';
import type { Cache } from './cache.ts';

/** What happened, as the log writes it: facts, never sentences with a key in them. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A hash of bytes that arrive in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void | Promise<void>;
  /** The digest in hexadecimal; nothing may follow it. */
  hex(): Promise<string>;
}

/** What we need of a machine. */
export interface Platform {
  /** Where the built-in emulator is asked: scheme, host and port. */
  readonly emulator: string;
  /** Asks an upstream. Whoever calls it says `redirect: 'manual'`. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Makes a pipe that the runtime carries bytes through by itself, without waking us for each chunk; null where it has none. */
  readonly openPipe: (() => ReadableWritablePair<Uint8Array, Uint8Array>) | null;
  /**
   * Asks an address that somebody gave; never follows a redirect. Unless `allowPrivate`, the connection itself must go to a public address,
   * as far as the machine lets us see it. See `http/guarded-fetch.ts`, which is the one place to call it from.
   */
  fetchPublic(url: URL, init: RequestInit, allowPrivate: boolean): Promise<Response>;
  /** The pages that were built from `web/`; null where they were not. */
  readonly pages: BuiltFiles | null;
  /** Where pictures and files are stored; null where there is no place for them. */
  readonly blobs: Blobs | null;
  readonly cache: Cache;
  /**
   * Does work that holds much memory while it lasts, a file's worth of it: not too many at once in the whole process, where the machine lets
   * one request wait for another.
   */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Whether one request may wait for another to end: not on machines that keep them apart. */
  readonly canQueue: boolean;
  /** SHA-256. */
  createHash(): Hash;
  /** Opens a WebSocket to an upstream. */
  openSocket(url: string): WebSocket;
  /** A tokenizer, loaded when it is first asked for; null where there is none and usage must be estimated. */
  tokenizer(): Promise<((text: string) => number) | null>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Keeps work alive after the answer is sent. */
  defer(work: Promise<unknown>): void;
  /** Null where nothing is counted. */
  readonly metrics: Metrics | null;
  log(level: LogLevel, message: string, facts?: Facts): void;
}
