import { Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import { chunkReader } from '../../streams/read-chunks.ts';
import { sleep } from '../../streams/sleep.ts';
import { storedResult } from './background.ts';
import type { ByteSource } from './byte-source.ts';
import type { Client } from './client.ts';
import { listen, topicHello } from './socket.ts';
import { storedSource } from './source.ts';
import type { TurnReader } from './turn.ts';

export type RecoverOptions = {
  /** Private hosts, as `host:port`, that the upstream may name a socket at. */
  readonly allow: ReadonlySet<string>;
  /** Longest time to poll for a result that comes without a stream, in seconds. */
  readonly backgroundSeconds: number;
};

/** How often each way was tried in one turn. */
export type RecoverCounts = { resumed: number; polled: number };

/**
 * Most requests to resume a stream, and most results that are read from the stored conversation.
 */
const maxResumed = 12;
const maxPolled = 3;
/** Wait before a stream is resumed once more, in milliseconds, for each time it was. */
const resumeWaitMs = 500;
const maxResumeWaitMs = 4000;
/**
 * Longest time to poll for the answer of a stream that broke, in seconds. The upstream may be down.
 */
const brokenSeconds = 10;
/** Most refusals in a row while the upstream works in the background. */
const maxRefusals = 30;

/**
 * Opens the stream of a turn once more, after it broke or the upstream moved it: by a request with
 * the token of the stream, then over the socket, then as the stored conversation. Each way begins
 * at the first event. Messages are kept by their id, so nothing is lost and nothing is shown twice.
 * Null if no way is open.
 */
export async function recoverSource(
  reader: TurnReader,
  conversationId: string,
  client: Client,
  options: RecoverOptions,
  ports: Pick<Ports, 'http' | 'log'>,
  signal: AbortSignal,
  counts: RecoverCounts,
): Promise<ByteSource | null> {
  const { outcome, resumeToken, topic, offersResume } = reader.state;

  const byRequest = async (token: string): Promise<ByteSource> => {
    const waitMs = Math.min(counts.resumed++ * resumeWaitMs, maxResumeWaitMs);
    if (waitMs > 0) await sleep(waitMs, signal);
    const body = await client.resume(conversationId, token, signal);
    reader.resume(false);
    return chunkReader(body);
  };
  const bySocket = async (name: string): Promise<ByteSource> => {
    const url = await client.topicSocketUrl(signal);
    const filter = { conversationId: null, responseId: null, topic: name };
    const source = listen(ports.http, { url, allow: options.allow, filter, hello: topicHello(name) });
    reader.resume(false);
    return source;
  };
  const byStore = (): Promise<ByteSource | null> =>
    openStored(reader, conversationId, client, options, signal, counts);

  const isByRequest = resumeToken !== null && counts.resumed < maxResumed;
  const ways: (readonly [string, () => Promise<ByteSource | null>])[] = [];
  if (isByRequest && (outcome !== 'handoff' || offersResume || topic === null))
    ways.push(['request', () => byRequest(resumeToken)]);
  if (topic !== null) ways.push(['socket', () => bySocket(topic)]);
  ways.push(['stored conversation', byStore]);

  for (const [way, open] of ways) {
    try {
      return await open();
    } catch (error) {
      if (signal.aborted) throw error;
      // No words of the upstream: they may repeat the token.
      ports.log('warn', 'an answer could not be resumed', { way, code: toFailure(error).code });
      if (way === 'stored conversation' && outcome !== 'broken') throw error;
    }
  }
  return null;
}

/** The result of a turn, from the stored conversation; null if there is none in time. */
async function openStored(
  reader: TurnReader,
  conversationId: string,
  client: Client,
  { backgroundSeconds }: RecoverOptions,
  signal: AbortSignal,
  counts: RecoverCounts,
): Promise<ByteSource | null> {
  if (counts.polled++ >= maxPolled) return null;
  const { outcome } = reader.state;
  const isBroken = outcome === 'broken';
  const messages = await storedResult(
    client,
    conversationId,
    {
      seconds: isBroken ? Math.min(brokenSeconds, backgroundSeconds) : backgroundSeconds,
      maxRefusals: isBroken ? 1 : maxRefusals,
      acceptsPicture: outcome === 'background',
    },
    signal,
  );
  if (signal.aborted) throw new Failure('upstream_error', 'The request was cancelled.');
  if (!messages) return null;
  reader.resume(false);
  return storedSource(messages, conversationId);
}
