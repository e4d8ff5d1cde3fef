import type { ServerResponse } from 'node:http';
import { errorBody, type Failure } from '../../http/failure.ts';
import { isEventStream, type RawHeaders, responseHeaders } from '../../http/headers.ts';
import { toPairs } from '../../http/raw-headers.ts';
import type { Exchange } from '../../reply.ts';
import { piecesOf, StoredBody } from './stores/blob-body.ts';

/** Writes an answer of our own, and its record when it has gone out. */
export async function sendResponse(
  answer: Response,
  exchange: Exchange,
  response: ServerResponse,
  unread: boolean,
): Promise<void> {
  const events = isEventStream(answer.headers.get('content-type'));
  const headers = responseHeaders(toPairs(answer.headers), exchange.addedHeaders, events);
  if (unread) headers.push('connection', 'close');
  let bytes = 0;
  let firstByteMs: number | null = null;
  const end = (endedBy: 'done' | 'client' | 'gateway', error?: string): void =>
    exchange.end({
      status: answer.status,
      bytes,
      firstByteMs,
      endedBy,
      ...(error === undefined ? {} : { error }),
    });
  if (answer.body === null || isShort(answer)) {
    const body = answer.body === null ? null : Buffer.from(await answer.arrayBuffer());
    bytes = body?.length ?? 0;
    firstByteMs = Date.now() - exchange.startedAt;
    if (body && answer.status !== 204 && answer.status !== 304) headers.push('content-length', String(bytes));
    response.once('close', () => end(response.writableFinished ? 'done' : 'client'));
    response.writeHead(answer.status, headers).end(body ?? undefined);
    return;
  }
  if (answer.body instanceof StoredBody) {
    const { source } = answer.body;
    firstByteMs = Date.now() - exchange.startedAt;
    if (source.kind === 'bytes') {
      response.once('close', () => end(response.writableFinished ? 'done' : 'client'));
      bytes = source.bytes.length;
      response.writeHead(answer.status, headers).end(source.bytes);
      return;
    }
    response.writeHead(answer.status, headers);
    try {
      for await (const piece of piecesOf(source)) {
        await written(response, piece);
        bytes += piece.length;
      }
      response.end();
      end('done');
    } catch (error) {
      end(response.destroyed ? 'client' : 'gateway', String(error));
      response.destroy();
    }
    return;
  }
  response.writeHead(answer.status, headers);
  response.flushHeaders();
  const reader = answer.body.getReader();
  // Not waited for: what is silent would not answer.
  const leave = () => void reader.cancel(new Error('the caller left')).catch(() => {});
  response.once('close', leave);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || response.destroyed) break;
      firstByteMs ??= Date.now() - exchange.startedAt;
      bytes += value.length;
      if (!response.write(value)) await drained(response);
    }
    if (response.destroyed) {
      // It may have closed before we listened for that.
      leave();
      return end('client');
    }
    response.off('close', leave);
    response.end();
    end('done');
  } catch (error) {
    end(response.destroyed ? 'client' : 'gateway', String(error));
    response.destroy();
  }
}

/** Waits until there is room for more, or nobody is there to take it. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
    if (response.destroyed) go();
  });
}

/** Writes a piece, and waits until it is out of our hands, so that its buffer can be used again. Fails where the caller leaves. */
function written(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the caller left'));
    if (response.destroyed) return left();
    response.once('close', left);
    response.write(piece, (error) => {
      response.off('close', left);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Answers that are whole already: JSON of ours, pages. */
function isShort(answer: Response): boolean {
  // What says its length is a stream of known size; what is kept open says so too.
  if (answer.headers.has('x-accel-buffering') || answer.headers.has('content-length')) return false;
  const type = answer.headers.get('content-type') ?? '';
  return type.startsWith('application/json') || type.startsWith('text/html');
}

/** Writes a failure. `close` ends the connection: the rest of an unread body is not waited for. */
export function sendFailure(
  response: ServerResponse,
  failure: Failure,
  ours: RawHeaders,
  close: boolean,
): void {
  const body = JSON.stringify(errorBody(failure));
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(body)),
    ...Object.entries(failure.headers).flat(),
    ...ours,
  ];
  if (close) headers.push('connection', 'close');
  response.writeHead(failure.status, headers).end(body);
}
