import type { Finding } from './finding.ts';
import { finding, headersOf, isLoopback, type Target, timeoutSeconds } from './target.ts';
import { testStream } from './test-stream.ts';

export type { Target } from './target.ts';

/**
 * Tests a gateway from outside, as its callers see it, and yields the findings one by one. Spends
 * nothing.
 */
export async function* diagnose(target: Target): AsyncGenerator<Finding> {
  const { base } = target;
  const url = new URL(base);
  if (target.pageIsSecure && url.protocol === 'http:' && !isLoopback(url.hostname)) {
    yield finding('bad', 'mixedContent', { base });
    return;
  }
  const list = await testModelList(target);
  yield* list.findings;
  if (list.next === 'stop') return;
  if (url.protocol === 'https:') yield finding('good', 'encrypted');
  else if (!isLoopback(url.hostname)) yield finding('warn', 'plainHttp', { host: url.host });
  if (target.origin !== null) yield await testPreflight(target, target.origin);
  if (list.next === 'noStream') return;
  const stream: Finding[] = [];
  for await (const each of testStream(target)) {
    // A gateway that sends its own stream is at this address: a 404 was then the upstream's.
    if (list.notFound && stream.length === 0)
      yield each.code === 'cannotMeasure' ? list.notFound : finding('warn', 'noModels');
    stream.push(each);
    if (!list.notFound || each.code !== 'cannotMeasure') yield each;
  }
}

type List = {
  readonly findings: readonly Finding[];
  /** What can still be tested. */
  readonly next: 'stop' | 'noStream' | 'all';
  /** Set if the list was not found: whose 404 it is, the stream shows. */
  readonly notFound?: Finding;
};

/** Tests reachability, key and models by one request. */
async function testModelList(target: Target): Promise<List> {
  const { base } = target;
  let response: Response;
  try {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    response = await target.fetch(`${base}/models`, { headers: headersOf(target), signal });
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    const why = cause?.code ?? cause?.message ?? message;
    return { findings: [finding('bad', 'unreachable', { base, why })], next: 'stop' };
  }
  const body = (await response.json().catch(() => null)) as ListBody | null;
  const status = String(response.status);
  if (body === null) return { findings: [finding('bad', 'notTheApi', { base, status })], next: 'stop' };
  const reached = finding('good', 'reached', { base });
  const why = body.error?.message ?? '';
  switch (response.status) {
    case 200:
      return { findings: [reached, ...modelsIn(body, target)], next: 'all' };
    case 401:
      return { findings: [reached, keyFinding(target, why)], next: 'noStream' };
    case 403:
      return { findings: [reached, originFinding(target, why)], next: 'noStream' };
    case 404:
      return { findings: [reached], next: 'all', notFound: finding('bad', 'notFound', { base, why }) };
    default:
      return { findings: [reached, finding('bad', 'serverError', { status, why })], next: 'all' };
  }
}

type ListBody = { readonly data?: unknown; readonly error?: { readonly message?: string } };

function modelsIn({ data }: ListBody, target: Target): Finding[] {
  const count = Array.isArray(data) ? data.length : 0;
  return [
    finding('good', hasKey(target) ? 'keyAccepted' : 'keyNotNeeded'),
    count > 0 ? finding('good', 'models', { count: String(count) }) : finding('warn', 'noModels'),
  ];
}

/** A gateway that wants a key is as it should be. Only a key that it refuses is wrong. */
function keyFinding(target: Target, why: string): Finding {
  return hasKey(target) ? finding('bad', 'keyRefused', { why }) : finding('skipped', 'keyMissing');
}

/** A gateway for web pages refuses programs, and is as it should be. */
function originFinding({ origin }: Target, why: string): Finding {
  return origin === null && why.includes('ALLOWED_ORIGINS')
    ? finding('skipped', 'originMissing')
    : finding('bad', 'originRefused', { why });
}

function hasKey({ headers }: Target): boolean {
  return Object.keys(headers).length > 0;
}

/** Sends what a browser sends before a page of another origin may call. */
async function testPreflight({ base, fetch }: Target, origin: string): Promise<Finding> {
  const response = await fetch(`${base}/chat/completions`, {
    method: 'OPTIONS',
    signal: AbortSignal.timeout(timeoutSeconds * 1000),
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  }).catch(() => null);
  await response?.body?.cancel();
  const allowed = response?.headers.get('access-control-allow-origin') ?? null;
  const named = (response?.headers.get('access-control-allow-headers') ?? '').toLowerCase();
  if (!response?.ok || (allowed !== '*' && allowed !== origin))
    return finding('bad', 'preflightRefused', { origin });
  if (!named.includes('authorization')) return finding('bad', 'preflightBare', { origin });
  return finding('good', 'preflight', { origin });
}
