import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorBody, Failure } from '../../http/failure.ts';
import { framingFault } from '../../http/framing.ts';
import type { Exchange } from '../../reply.ts';
import { type RelayContext, relay } from './relay/relay.ts';
import type { ClientSocket } from './relay/wire.ts';
import { NodeRequest } from './request.ts';
import { sendFailure } from './send-failure.ts';
import { sendResponse } from './send-response.ts';

/** Most headers that a request may have, and most bytes they may take together. */
const maxHeaders = 1000;
const maxHeaderBytes = 64 * 1024;

/** The part of a gateway that a server needs. */
export type Handler = {
  handle(incoming: NodeRequest): Exchange | Promise<Exchange>;
  isDraining(): boolean;
};

/** Serves a gateway over `node:http`. Relays go from socket to socket; all else is a `Response`. */
export function createServer(gateway: Handler, context: RelayContext, idleSeconds: number): Server {
  const server = createHttpServer({
    maxHeaderSize: maxHeaderBytes,
    // Bodies may take long; their silence is limited elsewhere. Heads may not.
    requestTimeout: 0,
    headersTimeout: 30_000,
    keepAliveTimeout: 65_000,
    noDelay: true,
    // Answered below, in the shape that every error has.
    requireHostHeader: false,
    // Anything but a WebSocket goes on as a plain request, as HTTP allows (RFC 9110 section 7.8).
    shouldUpgradeCallback: isWebSocket,
  } as Parameters<typeof createHttpServer>[0] & object);
  server.maxHeadersCount = 0;

  const run = (request: IncomingMessage, response: ServerResponse, client: ClientSocket | null): void => {
    const incoming = new NodeRequest(request, response, idleSeconds);
    const carryOut = (exchange: Exchange): void => {
      const { reply } = exchange;
      if (reply instanceof Response) void sendResponse(reply, exchange, request, response, context);
      else relay(reply, exchange, incoming, request, response, context, client);
    };
    const exchange = gateway.handle(incoming);
    if (exchange instanceof Promise) void exchange.then(carryOut);
    else carryOut(exchange);
  };

  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.rawHeaders.length > 2 * maxHeaders) return tooManyHeaders(request, response);
    const fault = framingFault(request.rawHeaders, request.httpVersion);
    if (fault) return sendFailure(request, response, fault, bareHeaders());
    if (gateway.isDraining()) response.shouldKeepAlive = false;
    run(request, response, null);
  };

  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!isWebSocket(request) || framingFault(request.rawHeaders, request.httpVersion))
      return void socket.destroy();
    socket.on('error', () => socket.destroy());
    const response = new ServerResponse(request);
    response.assignSocket(socket as Socket);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    run(request, response, { socket, head });
  };

  server.on('request', serve);
  // The body is asked for once the request is admitted: see NodeRequest.sendContinue.
  server.on('checkContinue', serve);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const failure = new Failure(
      'invalid_request',
      'The only expectation served is 100-continue. Leave the Expect header out.',
    );
    sendFailure(request, response, failure, bareHeaders());
  });
  server.on('upgrade', upgrade);
  server.on('clientError', refuseUnreadable);
  return server;
}

/** Headers of a response that is sent before the gateway has seen the request. */
function bareHeaders(): string[] {
  return ['access-control-allow-origin', '*', 'x-request-id', `req_${crypto.randomUUID()}`];
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

function tooManyHeaders(request: IncomingMessage, response: ServerResponse): void {
  sendFailure(
    request,
    response,
    new Failure('headers_too_large', `The request has more than ${maxHeaders} headers. Send fewer.`),
    bareHeaders(),
  );
}

/** Refuses what is not readable as HTTP: too large, malformed, or with two framings. */
function refuseUnreadable(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const failure = unreadable(error.code);
  const body = JSON.stringify(errorBody(failure));
  socket.end(
    `HTTP/1.1 ${failure.status} ${failure.status === 431 ? 'Request Header Fields Too Large' : failure.status === 408 ? 'Request Timeout' : 'Bad Request'}\r\n` +
      `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `access-control-allow-origin: *\r\nx-request-id: req_${crypto.randomUUID()}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function unreadable(code: string | undefined): Failure {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Failure(
        'headers_too_large',
        `The request headers take more than ${maxHeaderBytes} bytes. Send smaller ones.`,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Failure('request_timeout', 'The request head did not arrive in time.');
    case 'HPE_INVALID_TRANSFER_ENCODING':
    case 'HPE_INVALID_CONTENT_LENGTH':
    case 'HPE_UNEXPECTED_CONTENT_LENGTH':
      return new Failure(
        'invalid_request',
        'The length of the body is given twice or wrongly. Send either Content-Length or Transfer-Encoding: chunked.',
      );
    default:
      return new Failure('invalid_request', 'The request is not valid HTTP/1.1.');
  }
}
