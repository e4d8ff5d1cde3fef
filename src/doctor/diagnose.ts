import { eventsOf } from '../openai/sse.ts';
import type { Code, Finding } from './finding.ts';
import { bufferingHop, isBuffered } from './judge.ts';

export type Target = {
  /** The API's address as a client has it, with `/v1`. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The origin of a page that would call, to ask as its browser would; null where a browser itself asks. */
  readonly origin: string | null;
  /** Whether the page that would call came by https. */
  readonly pageIsSecure: boolean;
  /** Seconds of silence to try a stream with; 0 for not. */
  readonly silenceSeconds: number;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
};

/** How long an answer is waited for. */
const patienceSeconds = 30;

/** Looks at a gateway from outside, as its callers see it: one finding after the other. Nothing it asks costs anything. */
export async function* diagnose(patient: Target): AsyncGenerator<Finding> {
  const { base } = patient;
  const url = new URL(base);
  if (patient.pageIsSecure && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    yield finding('bad', 'mixedContent', { base });
    return;
  }
  const listed = await modelList(patient);
  yield* listed.findings;
  if (listed.stops) return;
  if (url.protocol === 'https:') yield finding('good', 'encrypted');
  else if (!isLoopback(url.hostname)) yield finding('warn', 'plainHttp', { host: url.host });
  if (patient.origin !== null) yield await preflight(patient, patient.origin);
  yield* stream(patient);
}

function finding(level: Finding['level'], code: Code, facts: Finding['facts'] = {}): Finding {
  return { level, code, facts };
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Reachability, key and models by one request. `stops` where nothing else can be told. */
async function modelList({
  base,
  headers,
  fetch,
}: Target): Promise<{ findings: readonly Finding[]; stops: boolean }> {
  let answer: Response;
  try {
    answer = await fetch(`${base}/models`, { headers, signal: AbortSignal.timeout(patienceSeconds * 1000) });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string } };
    const why = cause?.code ?? message;
    return { findings: [finding('bad', 'unreachable', { base, why })], stops: true };
  }
  const body = (await answer.json().catch(() => null)) as {
    data?: unknown;
    error?: { message?: string };
  } | null;
  const status = String(answer.status);
  const why = body?.error?.message ?? '';
  if (body === null) return { findings: [finding('bad', 'notTheApi', { base, status })], stops: true };
  const reached = finding('good', 'reached', { base });
  switch (answer.status) {
    case 200:
      break;
    case 401:
      return { findings: [reached, finding('bad', 'keyRefused', { why })], stops: false };
    case 403:
      return { findings: [reached, finding('bad', 'originRefused', { why })], stops: false };
    case 404:
      return { findings: [reached, finding('bad', 'notFound', { base, why })], stops: false };
    default:
      return { findings: [reached, finding('bad', 'serverError', { status, why })], stops: false };
  }
  const count = Array.isArray(body.data) ? body.data.length : 0;
  return {
    findings: [
      reached,
      finding('good', 'keyTaken'),
      count > 0 ? finding('good', 'models', { count: String(count) }) : finding('warn', 'noModels'),
    ],
    stops: false,
  };
}

/** Asks what a browser asks before a page of another origin may call. */
async function preflight({ base, fetch }: Target, origin: string): Promise<Finding> {
  const answer = await fetch(`${base}/chat/completions`, {
    method: 'OPTIONS',
    signal: AbortSignal.timeout(patienceSeconds * 1000),
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  }).catch(() => null);
  await answer?.body?.cancel();
  const allowed = answer?.headers.get('access-control-allow-origin') ?? null;
  const named = (answer?.headers.get('access-control-allow-headers') ?? '').toLowerCase();
  if (!answer?.ok || (allowed !== '*' && allowed !== origin))
    return finding('bad', 'preflightRefused', { origin });
  if (!named.includes('authorization')) return finding('bad', 'preflightBare', { origin });
  return finding('good', 'preflight', { origin });
}

type Told = { readonly gapMs: number; readonly stem: string };

/** How a stream of known rhythm arrives: collected or not, cut in silence or not; and where the gateway thinks that it is. */
async function* stream({ base, headers, fetch, silenceSeconds }: Target): AsyncGenerator<Finding> {
  const root = base.replace(/\/v1$/, '');
  const address = `${root}/doctor/stream?silence=${silenceSeconds}`;
  // The rhythm itself takes a second or two; what goes on after that will not end by itself.
  const signal = AbortSignal.timeout((patienceSeconds + silenceSeconds) * 1000);
  const answer = await fetch(address, { headers, signal }).catch(() => null);
  if (!answer?.ok || !answer.body || !answer.headers.get('content-type')?.startsWith('text/event-stream')) {
    await answer?.body?.cancel();
    yield finding('skipped', 'cannotMeasure', { status: String(answer?.status ?? 0) });
    return;
  }
  const arrivals: number[] = [];
  let told: Told | null = null;
  let isWhole = false;
  const began = Date.now();
  try {
    for await (const { data } of eventsOf(answer.body)) {
      if (data === '[DONE]') isWhole = true;
      else if (told === null) told = JSON.parse(data) as Told;
      else if (data.includes('tick')) arrivals.push(Date.now());
    }
  } catch {
    // A connection that breaks is told by what is missing.
  }
  if (told === null) {
    yield finding('skipped', 'cannotMeasure', { status: String(answer.status) });
    return;
  }
  const { hop, fix } = bufferingHop(answer.headers);
  const encoding = answer.headers.get('content-encoding');
  if (isBuffered(arrivals, told.gapMs)) yield finding('bad', 'buffered', { hop, fix });
  else yield finding('good', 'streams', { count: String(arrivals.length), gap: String(told.gapMs) });
  if (encoding !== null) yield finding('warn', 'compressed', { encoding });
  if (silenceSeconds > 0) {
    const seconds = String(Math.round((Date.now() - began) / 1000));
    yield isWhole
      ? finding('good', 'silenceKept', { seconds: String(silenceSeconds) })
      : finding('bad', 'silenceCut', { seconds, hop });
  }
  const here = new URL(base).origin;
  yield URL.parse(told.stem)?.origin === here
    ? finding('good', 'links', { stem: told.stem })
    : finding('warn', 'linksElsewhere', { stem: told.stem, here });
}
