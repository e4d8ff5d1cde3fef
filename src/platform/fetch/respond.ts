import { isEventStream, responseHeaders } from '../../http/headers.ts';
import { toHeaders, toPairs } from '../../http/raw-headers.ts';
import type { Incoming } from '../../http/request.ts';
import type { Tasks } from '../../ports/tasks.ts';
import type { Exchange } from '../../reply.ts';
import { countBytes } from '../../streams/count-bytes.ts';
import { drainBody } from './drain-body.ts';
import { type FetchRelayOptions, runRelay } from './relay.ts';

/**
 * Carries an exchange out with web standards alone. Its record is written when the response ends.
 */
export function respond(
  exchange: Exchange,
  incoming: Incoming,
  tasks: Pick<Tasks, 'defer'>,
  options: FetchRelayOptions,
): Response | Promise<Response> {
  const { reply } = exchange;
  if (reply instanceof Response) {
    tasks.defer(drainBody(incoming));
    return ownResponse(reply, exchange, tasks);
  }
  const { response, finished } = runRelay(reply, incoming, exchange, options, (end) => exchange.end(end));
  tasks.defer(finished);
  return response;
}

/** A response that the gateway made, with what goes on every response. */
function ownResponse(reply: Response, exchange: Exchange, tasks: Pick<Tasks, 'defer'>): Response {
  const { status } = reply;
  const isEvents = isEventStream(reply.headers.get('content-type'));
  const headers = toHeaders(responseHeaders(toPairs(reply.headers), exchange.addedHeaders, isEvents));
  if (reply.body === null) {
    exchange.end({ status, bytes: 0, firstByteAt: null, endedBy: 'done' });
    return new Response(null, { status, headers });
  }
  const { body, ended } = countBytes(reply.body);
  tasks.defer(
    ended.then(({ bytes, firstByteAt, by, error }) =>
      exchange.end({ status, bytes, firstByteAt, endedBy: by, error }),
    ),
  );
  return new Response(body, { status, headers });
}
