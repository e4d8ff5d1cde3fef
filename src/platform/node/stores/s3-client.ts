import type { S3Client } from '@bradenmacdonald/s3-lite-client';
import { countBytes } from '../../../streams/count-bytes.ts';
import { readAll } from '../../../streams/read-all.ts';
import { withTimeout } from '../../../streams/with-timeout.ts';

export type S3Settings = {
  /** Scheme and host of the server, without the bucket. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly pathStyle: boolean;
};

export type S3Limits = {
  /** Seconds to the head of a response, and between two chunks of its body. */
  readonly silenceSeconds: number;
  /** Requests that are sent for one call, the first included. */
  readonly attempts: number;
  /** Pause before the second attempt, in milliseconds. It doubles each time. */
  readonly pauseMs: number;
};

const defaultLimits: S3Limits = { silenceSeconds: 10, attempts: 3, pauseMs: 200 };

/** A body may take one second more for so many bytes. */
const bytesPerSecond = 256 * 1024;

/** Largest response that is read into memory: an error, or the result of an upload. */
const maxTextBytes = 1024 * 1024;

/** Statuses after which a call is sent again: throttling (503 SlowDown) and passing faults. */
const retryable = new Set([429, 500, 502, 503, 504]);

type S3Request = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};

/** A response of the store that is no success. */
export class S3Error extends Error {
  readonly status: number;

  constructor(status: number, code: string) {
    super(`the S3 store answered with status ${status} ${code}`.trimEnd());
    this.name = 'S3Error';
    this.status = status;
  }
}

export type S3Requests = {
  /** Sends a request. Resolves with a success, whose body fails if it falls silent. */
  send(request: S3Request): Promise<Response>;
  /** Sends a request and reads the whole response as text. */
  sendForText(request: S3Request): Promise<string>;
  list(prefix: string): AsyncIterable<{ key: string; size: number; lastModified: Date }>;
};

/**
 * Requests to an S3-compatible store with limits on silence, and retries. The library signs and
 * parses. Its own requests cannot be aborted, so they are sent here, as presigned URLs. It is
 * loaded when it is first needed.
 */
export function createS3Requests(
  { endpoint, ...settings }: S3Settings,
  { silenceSeconds, attempts, pauseMs }: S3Limits = defaultLimits,
): S3Requests {
  let client: Promise<S3Client> | undefined;
  const load = (): Promise<S3Client> =>
    (client ??= import('@bradenmacdonald/s3-lite-client').then(
      ({ S3Client }) => new S3Client({ endPoint: endpoint, ...settings }),
    ));

  const silent = (): Error => new Error(`the S3 store was silent for ${silenceSeconds} seconds`);

  const sendOnce = async ({ method, key, query = {}, headers = {}, body }: S3Request): Promise<Response> => {
    const url = await (await load()).getPresignedUrl(
      // The signature is made the same way for each method; the type leaves POST out.
      method as 'PUT',
      key,
      { parameters: { ...query }, extraHeaders: { ...headers }, expirySeconds: 3600 },
    );
    const late = new AbortController();
    const seconds = silenceSeconds + (body?.length ?? 0) / bytesPerSecond;
    return withTimeout(
      fetch(url, {
        method,
        headers,
        redirect: 'manual',
        signal: late.signal,
        ...(body ? { body: body as Uint8Array<ArrayBuffer> } : {}),
      }),
      seconds,
      () => {
        const error = silent();
        late.abort(error);
        return error;
      },
    );
  };

  const textOf = async (response: Response): Promise<string> => {
    const body = response.body && countBytes(response.body, { idleSeconds: silenceSeconds }).body;
    const bytes = await readAll(body, maxTextBytes, () => new Error('the S3 store sent too long a text'));
    return new TextDecoder().decode(bytes);
  };

  const errorOf = async (response: Response): Promise<S3Error> => {
    const text = await textOf(response).catch(() => '');
    return new S3Error(response.status, /<Code>(\w{1,100})<\/Code>/.exec(text)?.[1] ?? '');
  };

  const attempt = async (request: S3Request): Promise<Response> => {
    const response = await sendOnce(request);
    if (!response.ok) throw await errorOf(response);
    return response;
  };

  const send = async (request: S3Request): Promise<Response> => {
    for (let failed = 1; ; failed++) {
      try {
        return await attempt(request);
      } catch (error) {
        if (failed >= attempts || !mayRepeat(error)) throw error;
        // Jitter: several calls that were throttled together do not return together.
        const pause = pauseMs * 2 ** (failed - 1) * (0.5 + Math.random());
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  };

  return {
    async send(request) {
      const response = await send(request);
      if (!response.body || request.method === 'HEAD') return response;
      const { body } = countBytes(response.body, { idleSeconds: silenceSeconds });
      return new Response(body, { status: response.status, headers: response.headers });
    },
    sendForText: async (request) => textOf(await send(request)),
    async *list(prefix) {
      const pages = (await load()).listObjects({ prefix });
      for (;;) {
        const { done, value } = await withTimeout(pages.next(), silenceSeconds, silent);
        if (done) return;
        yield value;
      }
    },
  };
}

/** Every call here may be sent twice. One that was silent is not: the next would wait as long. */
function mayRepeat(error: unknown): boolean {
  if (error instanceof S3Error) return retryable.has(error.status);
  // What `fetch` throws if there is no connection, or it broke.
  return error instanceof TypeError;
}
