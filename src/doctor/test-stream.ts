import { eventsOf } from '../openai/sse.ts';
import type { Finding } from './finding.ts';
import { bufferingHop, isBuffered } from './judge.ts';
import { finding, headersOf, isLoopback, type Target, timeoutSeconds } from './target.ts';

/**
 * The first event of the test stream: its rhythm, and the address that the gateway believes to
 * have.
 */
type Opening = { readonly gapMs: number; readonly stem: string };

type Received = {
  readonly opening: Opening | null;
  readonly hasEvents: boolean;
  /** When each tick arrived, in milliseconds. */
  readonly arrivals: readonly number[];
  readonly isComplete: boolean;
  readonly isBroken: boolean;
  readonly seconds: number;
};

/** Tests how a stream of known rhythm arrives: buffered, cut in silence, and with which links. */
export async function* testStream(target: Target): AsyncGenerator<Finding> {
  const { base, fetch, silenceSeconds } = target;
  const address = `${base.replace(/\/v1$/, '')}/doctor/stream?silence=${silenceSeconds}`;
  // The rhythm takes about two seconds. What is still open long after that does not end by itself.
  const signal = AbortSignal.timeout((timeoutSeconds + silenceSeconds) * 1000);
  const response = await fetch(address, { headers: headersOf(target), signal }).catch(() => null);
  const isStream = response?.headers.get('content-type')?.startsWith('text/event-stream');
  if (!response?.ok || !response.body || !isStream) {
    await response?.body?.cancel();
    yield finding('skipped', 'cannotMeasure', { status: String(response?.status ?? 0) });
    return;
  }
  const received = await receive(response.body);
  const { opening, arrivals } = received;
  const { hop, fix } = bufferingHop(response.headers);
  const seconds = String(Math.round(received.seconds));
  if (opening === null) {
    const wasHeldBack = !received.hasEvents && (received.isBroken || received.seconds > 2);
    yield wasHeldBack
      ? finding('bad', 'streamCut', { seconds, hop, fix })
      : finding('skipped', 'cannotMeasure', { status: String(response.status) });
    return;
  }
  if (isBuffered(arrivals, opening.gapMs)) yield finding('bad', 'buffered', { hop, fix });
  else yield finding('good', 'streams', { count: String(arrivals.length), gap: String(opening.gapMs) });
  const encoding = response.headers.get('content-encoding');
  if (encoding !== null) yield finding('warn', 'compressed', { encoding });
  if (silenceSeconds > 0)
    yield received.isComplete
      ? finding('good', 'silenceKept', { seconds: String(silenceSeconds) })
      : finding('bad', 'silenceCut', { seconds, hop });
  yield linksFinding(opening.stem, new URL(base));
}

/**
 * Links that lead elsewhere are right if we test on the gateway's own machine: PUBLIC_URL names its
 * public address. A name without a dot is none, but what a proxy calls its upstream.
 */
function linksFinding(stem: string, base: URL): Finding {
  const url = URL.parse(stem);
  const isHere = url?.origin === base.origin;
  const isPublic =
    url !== null && isLoopback(base.hostname) && !isLoopback(url.hostname) && /[.:]/.test(url.hostname);
  return isHere || isPublic
    ? finding('good', 'links', { stem })
    : finding('warn', 'linksElsewhere', { stem, here: base.origin });
}

async function receive(body: ReadableStream<Uint8Array>): Promise<Received> {
  const arrivals: number[] = [];
  const began = Date.now();
  let opening: Opening | null = null;
  let hasEvents = false;
  let isComplete = false;
  let isBroken = false;
  try {
    for await (const { data } of eventsOf(body)) {
      hasEvents = true;
      if (data === '[DONE]') isComplete = true;
      else if (opening === null) opening = JSON.parse(data) as Opening;
      else if (data.includes('tick')) arrivals.push(Date.now());
    }
  } catch {
    isBroken = true;
  }
  return { opening, hasEvents, arrivals, isComplete, isBroken, seconds: (Date.now() - began) / 1000 };
}
