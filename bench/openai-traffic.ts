/** What the official SDK sends with a chat request, besides host, key and length. */
export const sdkHeaders: Readonly<Record<string, string>> = {
  accept: 'application/json',
  'content-type': 'application/json',
  'user-agent': 'OpenAI/JS 7.55.0',
  'x-stainless-retry-count': '0',
  'x-stainless-timeout': '600',
  'x-stainless-lang': 'js',
  'x-stainless-package-version': '7.55.0',
  'x-stainless-os': 'Linux',
  'x-stainless-arch': 'x64',
  'x-stainless-runtime': 'node',
  'x-stainless-runtime-version': 'v26.10.0',
  'accept-language': '*',
  'sec-fetch-mode': 'cors',
  'accept-encoding': 'gzip, deflate',
};

/** The 14 headers that OpenAI sends with a response, besides its length or encoding. */
export const responseHeaders = (type: string): string =>
  [
    'date: Wed, 25 Nov 2026 12:00:00 GMT',
    `content-type: ${type}`,
    'openai-organization: org-bench',
    'openai-processing-ms: 312',
    'openai-version: 2020-10-01',
    'x-ratelimit-limit-requests: 10000',
    'x-ratelimit-limit-tokens: 2000000',
    'x-ratelimit-remaining-requests: 9999',
    'x-ratelimit-remaining-tokens: 1999970',
    'x-ratelimit-reset-requests: 6ms',
    'x-ratelimit-reset-tokens: 0s',
    'x-request-id: req_0123456789abcdef0123456789abcdef',
    'server: cloudflare',
    'cf-ray: 8f0123456789abcd-AMS',
  ]
    .map((line) => `${line}\r\n`)
    .join('');
