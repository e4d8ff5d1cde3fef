import { describe, expect, test } from 'vitest';
import { documentHeaders, requestHeaders, responseHeaders } from './headers.ts';

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
    expect(requestHeaders([...gone, ...kept], { key: 'sk-1', isOwnKey: false })).toEqual([
      ...kept,
      'authorization',
      'Bearer sk-1',
    ]);
  });

  test('keeps account headers only beside the caller’s own key', () => {
    const pairs = ['OpenAI-Organization', 'org', 'OpenAI-Project', 'p', 'ChatGPT-Account-ID', 'acc'];
    expect(requestHeaders(pairs, { key: 'k', isOwnKey: true })).toEqual([
      ...pairs,
      'authorization',
      'Bearer k',
    ]);
    expect(requestHeaders(pairs, { key: 'k', isOwnKey: false })).toEqual(['authorization', 'Bearer k']);
  });

  test('loses the key hidden in a WebSocket subprotocol, and nothing else of it', () => {
    const pairs = [
      'Sec-WebSocket-Protocol',
      'realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1',
    ];
    expect(requestHeaders(pairs, { key: null, isOwnKey: true })).toEqual([
      'Sec-WebSocket-Protocol',
      'realtime, openai-beta.realtime-v1',
    ]);
    for (const protocol of ['openai-insecure-api-key.sk-1', 'OpenAI-Insecure-Api-Key.sk-1'])
      expect(requestHeaders(['Sec-WebSocket-Protocol', protocol], { key: null, isOwnKey: true })).toEqual([]);
  });

  test('every Connection header nominates headers', () => {
    const pairs = ['Connection', 'close', 'connection', ' X-A ,x-b', 'X-A', '1', 'x-B', '2', 'X-C', '3'];
    expect(requestHeaders(pairs, { key: null, isOwnKey: false })).toEqual(['X-C', '3']);
    expect(responseHeaders(pairs, [], false)).toEqual(['X-C', '3']);
  });

  const accessKey = 'access-key/of+the~team';
  test.each([
    ['x-goog-api-key', accessKey],
    ['x-auth-token', `Token ${accessKey}`],
    ['authentication', `Bearer ${accessKey}`],
    ['x-original-authorization', `Basic ${btoa(`user:${accessKey}`)}`],
    ['x-encoded', encodeURIComponent(accessKey)],
    ['x-encoded-twice', encodeURIComponent(encodeURIComponent(accessKey))],
    ['x-base64-url', btoa(`ab${accessKey}`).replaceAll('+', '-').replaceAll('/', '_')],
    [`x-${accessKey}`, '1'],
    ['sec-websocket-protocol', `OPENAI-INSECURE-API-KEY.${accessKey}`],
    ['sec-websocket-protocol', `api-key-${accessKey}`],
  ])('loses the presented access key in %s: %s', (name, value) => {
    const headers = requestHeaders([name, value, 'x-kept', 'a'], { key: 'k', isOwnKey: false, accessKey });
    expect(headers).toEqual(['x-kept', 'a', 'authorization', 'Bearer k']);
  });

  test('keeps an Authorization header of another scheme if it holds the own key', () => {
    const headers = requestHeaders(['Authorization', 'Basic dXNlcjpw'], {
      key: 'Basic dXNlcjpw',
      isOwnKey: true,
    });
    expect(headers).toEqual(['authorization', 'Basic dXNlcjpw']);
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

  test('loses what would act on the origin of the gateway', () => {
    const pairs = ['Clear-Site-Data', '"*"', 'Service-Worker-Allowed', '/', 'Refresh', '0;url=//x', 'A', 'b'];
    expect(responseHeaders(pairs, [], false)).toEqual(['A', 'b']);
  });

  test('loses headers that hold a server-side key', () => {
    const pairs = ['X-Echo', 'Bearer sk-the-server-key', 'Link', `<https://a/?k=${'sk%2Dthe-server-key'}>`];
    expect(responseHeaders([...pairs, 'A', 'b'], [], false, { secrets: ['sk-the-server-key'] })).toEqual([
      'A',
      'b',
    ]);
  });

  test.each(['document', 'iframe', 'object'])('is sandboxed if a browser shows it as %s', (destination) => {
    expect(documentHeaders(destination)).toContain('sandbox');
    expect(documentHeaders('empty')).toEqual([]);
    expect(documentHeaders(undefined)).toEqual([]);
  });
});
