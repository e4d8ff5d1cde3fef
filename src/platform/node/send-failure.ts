import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorBody, type Failure } from '../../http/failure.ts';
import type { RawHeaders } from '../../http/headers.ts';

/** A rest of a request body up to this size is read, so that the connection stays open. */
const smallRest = 64 * 1024;
/**
 * An upload that was refused is read and thrown away for so long, in milliseconds, and no longer.
 */
const lingerMs = 10_000;
const lingerIdleMs = 2000;

/** Sends an error response. */
export function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  failure: Failure,
  addedHeaders: RawHeaders,
): void {
  const headers = [
    'content-type',
    'application/json',
    ...Object.entries(failure.headers).flat(),
    ...addedHeaders,
  ];
  sendWhole(request, response, failure.status, headers, Buffer.from(JSON.stringify(errorBody(failure))));
}

/**
 * Sends a response that is in memory. If the request body is not read yet, the client may still be
 * writing it: to close the connection now would make its write fail, and it would never see the
 * response. So the response is sent, the body is read and thrown away for a while, then the
 * connection is closed ("lingering close" in nginx).
 */
export function sendWhole(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: string[],
  body: Buffer | null,
): void {
  const isEmpty = body === null || status === 204 || status === 304;
  if (!isEmpty) headers.push('content-length', String(body.length));
  const lingers = hasLargeRest(request);
  if (lingers) headers.push('connection', 'close');
  response.writeHead(status, headers);
  if (isEmpty || response.req.method === 'HEAD') response.flushHeaders();
  if (!lingers) return void response.end(isEmpty ? undefined : body);
  if (!isEmpty) response.write(body);
  linger(request, response);
}

/** Whether the client still sends a body that is too large to be read for nothing. */
function hasLargeRest(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || Number(length ?? 0) > smallRest;
}

function linger(request: IncomingMessage, response: ServerResponse): void {
  const end = (): void => {
    clearTimeout(idle);
    clearTimeout(whole);
    if (!response.writableEnded) response.end();
  };
  const idle = setTimeout(end, lingerIdleMs);
  const whole = setTimeout(end, lingerMs);
  request.removeAllListeners('data');
  request.on('data', () => idle.refresh());
  request.once('end', end).once('close', end).once('error', end);
  request.resume();
}
