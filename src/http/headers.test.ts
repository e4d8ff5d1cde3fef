import { describe, expect, test } from 'vitest';
import { requestHeaders, responseHeaders } from './headers.ts';

describe('a request on its way to the upstream', () => {
  test('loses what is the connection’s, the caller’s network’s or the caller’s page’s own', () => {
    const gone = [
      'Connection: x-hop, keep-alive',
      'X-Hop: 1',
      'Keep-Alive: timeout=5',
      'Transfer-Encoding: chunked',
      'TE: trailers',
      'Upgrade: websocket',
      'Proxy-Authorization: Basic x',
      'Host: gate.example',
      'Expect: 100-continue',
      'Cookie: a=b',
      'Authorization: Bearer own',
      'X-Api-Key: own',
      'Origin: https://a.example',
      'Referer: https://a.example/page',
      'Forwarded: for=1.2.3.4',
      'X-Forwarded-For: 1.2.3.4',
      'X-Real-IP: 1.2.3.4',
      'CF-Connecting-IP: 1.2.3.4',
      'Cf-Ray: x',
      'CDN-Loop: cloudflare',
      'Sec-Fetch-Mode: cors',
    ].flatMap((line) => line.split(/: (.*)/).slice(0, 2));
    const kept = [
      'Content-Type',
      'application/json',
      'X-Stainless-Lang',
      'js',
      'X-Custom',
      'a',
      'X-Custom',
      'b',
    ];
    expect(requestHeaders([...gone, ...kept], 'sk-1', false)).toEqual([
      ...kept,
      'authorization',
      'Bearer sk-1',
    ]);
  });

  test('keeps account headers only beside the caller’s own key', () => {
    const pairs = ['OpenAI-Organization', 'org', 'OpenAI-Project', 'p', 'ChatGPT-Account-ID', 'acc'];
    expect(requestHeaders(pairs, 'k', true)).toEqual([...pairs, 'authorization', 'Bearer k']);
    expect(requestHeaders(pairs, 'k', false)).toEqual(['authorization', 'Bearer k']);
  });

  test('loses the key hidden in a WebSocket subprotocol, and nothing else of it', () => {
    const pairs = [
      'Sec-WebSocket-Protocol',
      'realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1',
    ];
    expect(requestHeaders(pairs, null, true)).toEqual([
      'Sec-WebSocket-Protocol',
      'realtime, openai-beta.realtime-v1',
    ]);
    expect(requestHeaders(['Sec-WebSocket-Protocol', 'openai-insecure-api-key.sk-1'], null, true)).toEqual(
      [],
    );
  });
});

describe('an answer on its way to the caller', () => {
  const ours = ['access-control-allow-origin', '*', 'x-request-id', 'req_ours'];

  test('loses cookies, connection headers and the upstream’s own CORS', () => {
    const pairs = [
      'Set-Cookie',
      'a=1',
      'Connection',
      'x-hop',
      'x-hop',
      '1',
      'Access-Control-Allow-Origin',
      'https://u',
      'Alt-Svc',
      'h3',
    ];
    expect(responseHeaders([...pairs, 'Content-Type', 'a/b'], ours, false)).toEqual([
      'Content-Type',
      'a/b',
      ...ours,
    ]);
  });

  test('keeps the upstream’s request id', () => {
    expect(responseHeaders(['X-Request-Id', 'req_theirs'], ours, false)).toEqual([
      'X-Request-Id',
      'req_theirs',
      'access-control-allow-origin',
      '*',
    ]);
  });

  test('that streams events is marked so that nothing collects it', () => {
    expect(responseHeaders(['Cache-Control', 'private', 'X-Accel-Buffering', 'yes'], [], true)).toEqual([
      'cache-control',
      'no-cache, no-transform',
      'x-accel-buffering',
      'no',
    ]);
  });
});
