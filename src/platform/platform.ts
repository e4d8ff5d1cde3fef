/** What happened, as the log writes it: facts, never sentences with a key in them. */
export type Facts = Readonly<Record<string, string | number | boolean | null | undefined>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What we need of a machine. */
export interface Platform {
  /** Where the built-in emulator is asked: scheme, host and port. */
  readonly emulator: string;
  /** Asks an upstream; never follows a redirect. */
  fetch(request: Request): Promise<Response>;
  /** Opens a WebSocket to an upstream. */
  openSocket(url: string): WebSocket;
  /** A tokenizer, loaded when it is first asked for; null where there is none and usage must be estimated. */
  tokenizer(): Promise<((text: string) => number) | null>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Keeps work alive after the answer is sent. */
  defer(work: Promise<unknown>): void;
  log(level: LogLevel, message: string, facts?: Facts): void;
}
