import type { Code, Finding } from './finding.ts';

/** What a finding says, and what to change. */
export type Sentence = (facts: Finding['facts']) => readonly [text: string, fix?: string];

export const english: Readonly<Record<Code, Sentence>> = {
  reached: ({ base }) => [`${base} answers.`],
  unreachable: ({ base, why }) => [
    `${base} cannot be reached (${why}).`,
    'Check that the gateway is running and that the address and port are right. HOST=0.0.0.0 opens it to other machines.',
  ],
  notTheApi: ({ base, status }) => [
    `${base} answers, but not with JSON (status ${status}).`,
    'Another site, a login page or a proxy answers there. The address must lead to the gateway and end in /v1.',
  ],
  notFound: ({ why }) => [
    `The path does not exist. ${why}`,
    'If API_PREFIX is set, the address is https://HOST/PREFIX/v1.',
  ],
  keyAccepted: () => ['The key is accepted.'],
  keyNotNeeded: () => ['No key is needed.'],
  keyMissing: () => [
    'The gateway needs a key, so the other tests are skipped.',
    'Repeat the test with a key. In a terminal: --key YOUR_KEY.',
  ],
  keyRefused: ({ why }) => [
    `The key is refused. ${why}`,
    'If ACCESS_KEYS is set, send one of these keys. Otherwise send a key of the upstream.',
  ],
  originMissing: () => [
    'The gateway only answers web pages of the origins in ALLOWED_ORIGINS, so the other tests are skipped.',
    'Repeat the test for your page: --origin https://YOUR.PAGE.',
  ],
  originRefused: ({ why }) => [
    `The request is refused. ${why}`,
    'Add the origin to ALLOWED_ORIGINS, or use ACCESS_KEYS.',
  ],
  serverError: ({ status, why }) => [
    `The gateway answers with status ${status}. ${why}`,
    'The log of the gateway has the cause. "sluice check" tests its upstreams and storage.',
  ],
  models: ({ count }) => [count === '1' ? '1 model is listed.' : `${count} models are listed.`],
  noModels: () => [
    'No models are listed.',
    'The upstream lists none for this key. Type the model name into the client yourself.',
  ],
  preflight: ({ origin }) => [`Web pages of ${origin} may call.`],
  preflightRefused: ({ origin }) => [
    `Web pages of ${origin} may not call: the preflight request of the browser is refused.`,
    `Set ALLOWED_ORIGINS=${origin}. A proxy in front must pass OPTIONS requests on.`,
  ],
  preflightBare: ({ origin }) => [
    `Web pages of ${origin} may call, but not send a key.`,
    'A proxy in front answers OPTIONS itself. Let it pass these requests on.',
  ],
  plainHttp: ({ host }) => [
    `Keys are sent to ${host} unencrypted, and web pages loaded by https cannot call it.`,
    'Put TLS in front of the gateway: docs/deploy.md shows nginx and Caddy.',
  ],
  mixedContent: ({ base }) => [
    `This page was loaded by https and ${base} is http, so the browser blocks the calls.`,
    'Put TLS in front of the gateway, or open this page by http.',
  ],
  encrypted: () => ['The connection is encrypted.'],
  streams: ({ count, gap }) => [`Streams arrive as they are sent: ${count} chunks, ${gap} ms apart.`],
  streamCut: ({ seconds, hop, fix }) => [
    `A stream was cut after ${seconds} seconds without a byte${by(hop)}.`,
    `A proxy buffers streams and then times out. ${fix}`,
  ],
  buffered: ({ hop, fix }) => [
    `The stream is buffered on its way${by(hop)}, so answers arrive all at once.`,
    fix ?? '',
  ],
  compressed: ({ encoding }) => [
    `Streams are compressed on their way (${encoding}), which can delay chunks.`,
    'Exclude text/event-stream from compression in the proxy.',
  ],
  cannotMeasure: ({ status }) => [
    `Streaming could not be tested (status ${status}).`,
    'The path /doctor/stream of this address does not lead to the gateway. A proxy in front must pass all paths on.',
  ],
  silenceKept: ({ seconds }) => [`A stream stays open during ${seconds} seconds of silence.`],
  silenceCut: ({ seconds, hop }) => [
    `A silent stream is cut after about ${seconds} seconds${by(hop)}.`,
    'Raise the read timeout of the proxy (nginx: proxy_read_timeout 600s;) and keep KEEPALIVE_SECONDS well below it.',
  ],
  links: ({ stem }) => [`Links to pictures and files begin with ${stem}.`],
  linksElsewhere: ({ stem, here }) => [
    `Links to pictures and files begin with ${stem}, but you reach the gateway at ${here}.`,
    `Set PUBLIC_URL=${here}, or let the proxy in front send X-Forwarded-Host and X-Forwarded-Proto.`,
  ],
};

function by(hop: string | undefined): string {
  return hop === undefined || hop === '?' ? '' : ` (by ${hop}, according to the response headers)`;
}
