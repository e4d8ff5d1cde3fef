import type { Code, Finding } from './finding.ts';

export type Target = {
  /** The API's address as a client has it, with `/v1`. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The origin of a web page that calls, sent as its browser would. Null: no page, or a browser
   * that sends its own.
   */
  readonly origin: string | null;
  /** Whether the page that calls was loaded by https. */
  readonly pageIsSecure: boolean;
  /** Seconds of silence to test a stream with; 0 for no such test. */
  readonly silenceSeconds: number;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
};

/** Seconds to wait for a response. */
export const timeoutSeconds = 30;

export function finding(level: Finding['level'], code: Code, facts: Finding['facts'] = {}): Finding {
  return { level, code, facts };
}

export function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** The headers of a test: those of the caller, with the origin of the page that would call. */
export function headersOf({ headers, origin }: Target): Record<string, string> {
  return { ...headers, ...(origin === null ? {} : { origin }) };
}
