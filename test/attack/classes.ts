/** A request as bytes on a socket, or as `fetch` sends it. */
export type Attack = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

/** One class of hostile input: its name, and what is sent. */
export type AttackClass = { readonly name: string; readonly attacks: readonly Attack[] };

const json = { 'content-type': 'application/json' };
const chat = (message: unknown, headers: Record<string, string> = {}): Attack => ({
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { ...json, ...headers },
  body: JSON.stringify({ model: 'gpt-4', messages: [message] }),
});
const picture = (url: string): Attack =>
  chat({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] });

/** Repeated units that superlinear code is slow on. */
const units = [
  ...' \t.-_/[(){}`"\',;:=%<>*#|~&+?!@a0',
  '..;',
  '%25',
  '%2f..',
  ', ',
  'sk-',
  'eyJ-',
  'bearer ',
  '](sandbox:',
  '[[a](',
  'search( ',
  '\\"',
];
const long = (unit: string, length: number) =>
  `x${unit.repeat(Math.ceil(length / unit.length)).slice(0, length)}x`;

const dots = ['..', '.', '%2e%2e', '%2E.', '.%2e', '%252e%252e', '..;', '..%3b', '%c0%ae%c0%ae', '..%00'];
const slashes = ['/', '%2f', '%2F', '%252f', '%25252f', '%5c', '\\', '%255c', ';/', '%c0%af'];
const stems = [
  '/v1/',
  '/v1/models/',
  '/v1/x%2f',
  '/dashboard/',
  '/v1/files/',
  '/openai/v1/',
  '//v1//',
  '/files/',
  '/images/',
];

const loopbacks = [
  '127.0.0.1',
  'localhost',
  'localhost.',
  'LOCALHOST',
  '127.1',
  '0',
  '0.0.0.0',
  '0x7f000001',
  '0177.0.0.1',
  '2130706433',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '169.254.169.254',
  '2852039166',
  'metadata.google.internal',
  '100.100.100.200',
  '10.0.0.1',
  '192.168.0.1',
  '172.16.0.1',
  '100.64.0.1',
  'printer.local',
  'redis',
  'a.localhost',
  '127.0.0.1.',
  'user@127.0.0.1',
  '１２７.０.０.１',
  '127。0。0。1',
];
const schemes = ['http:', 'https:', 'HTTP:', 'ftp:', 'gopher:', 'file:', 'ws:', 'dict:'];

const deep = (open: string, close: string, depth: number) =>
  `{"model":"gpt-4","messages":${open.repeat(depth)}1${close.repeat(depth)}}`;
const wide = (names: number) =>
  `{${Array.from({ length: names }, (_, i) => `"k${i}":1`).join(',')},"model":"gpt-4"}`;

const hostileRoles = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '',
  'x'.repeat(1e5),
];
const hostileNames = [
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  "' OR 1=1 --",
  '\u0000',
  '\ud800',
  'x'.repeat(1e5),
];

/** Ways to write a key that is not one of the gateway's. */
function keys(accessKey: string): Attack[] {
  const values = [
    accessKey.slice(0, -1),
    `${accessKey}x`,
    accessKey.toUpperCase(),
    encodeURIComponent(accessKey).replaceAll('-', '%2D'),
    `${accessKey},${accessKey}x`,
    `"${accessKey}"`,
    ...hostileNames.map((name) => name.replace(/[^\x20-\x7e]/g, '?').slice(0, 8000)),
  ];
  const headers = [
    'authorization',
    'x-api-key',
    'api-key',
    'x-openai-key',
    'x-goog-api-key',
    'cookie',
    'proxy-authorization',
  ];
  return values.flatMap((value) =>
    headers.flatMap((name) => [
      { path: '/v1/headers', headers: { [name]: value } },
      { path: '/v1/headers', headers: { [name]: `Bearer ${value}` } },
    ]),
  );
}

/** Every class that a caller without a valid key can send. `accessKey` is a valid one, to make near misses of it. */
export function attackClasses(accessKey: string): readonly AttackClass[] {
  const header = (name: string, value: string): Attack => ({
    path: '/v1/headers',
    headers: { [name]: value },
  });
  return [
    {
      name: 'addresses that callers name',
      attacks: schemes.flatMap((scheme) => loopbacks.map((host) => picture(`${scheme}//${host}:1/a.png`))),
    },
    {
      name: 'long host names and addresses',
      attacks: units.map((unit) => picture(`http://${long(unit, 8000)}.com/`)),
    },
    {
      name: 'request targets',
      attacks: stems.flatMap((stem) =>
        dots.flatMap((dot) => slashes.map((slash) => ({ path: `${stem}${dot}${slash}admin` }))),
      ),
    },
    {
      name: 'long request targets',
      attacks: units
        .filter((unit) => /^[!-~]+$/.test(unit))
        .map((unit) => ({ path: `/files/${'0'.repeat(32)}-${encodeURI(long(unit, 20_000))}` })),
    },
    { name: 'keys', attacks: keys(accessKey) },
    {
      name: 'long header lists',
      attacks: [
        'sec-websocket-protocol',
        'x-forwarded-for',
        'forwarded',
        'authorization',
        'x-api-key',
        'origin',
        'accept',
      ].flatMap((name) => units.map((unit) => header(name, long(unit, 40_000)))),
    },
    {
      name: 'deep and wide JSON',
      attacks: [
        ...[
          ['[', ']'],
          ['{"a":', '}'],
          ['[{"a":', '}]'],
        ].flatMap(([open, close]) =>
          [1e3, 1e5, 1e6].map((depth) => ({
            method: 'POST',
            path: '/v1/chat/completions',
            headers: json,
            body: deep(open as string, close as string, depth),
          })),
        ),
        ...[1e3, 2e5, 1e6].map((names) => ({
          method: 'POST',
          path: '/v1/chat/completions',
          headers: json,
          body: wide(names),
        })),
        ...['{"a":"', '[', '{"model":"gpt-4"', '\ufeff{}', '{"model":NaN}'].map((start) => ({
          method: 'POST',
          path: '/v1/chat/completions',
          headers: json,
          body: start + 'x'.repeat(1e6),
        })),
      ],
    },
    {
      name: 'names of messages, models and files',
      attacks: [
        ...hostileRoles.map((role) => chat({ role, content: 'hi' })),
        ...hostileNames.map((model) => ({
          method: 'POST',
          path: '/v1/chat/completions',
          headers: json,
          body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
        })),
        ...[...hostileNames, ...units.map((unit) => long(unit, 1e6))].map((filename) =>
          chat({ role: 'user', content: [{ type: 'file', file: { filename, file_data: 'aGVsbG8=' } }] }),
        ),
      ],
    },
    {
      name: 'long prompts',
      attacks: units.map((unit) => chat({ role: 'user', content: long(unit, 500_000) })),
    },
  ];
}

/** Requests that `fetch` cannot send: written to a socket as they are. */
export const rawRequests: readonly string[] = [
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\n\r\n',
  'GET /v1/x HTTP/2.0\r\nHost: a\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\nHost: a b\r\n\r\n',
  'GET  /v1/x HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'POST /v1/x HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nX-A\u0000: b\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nX-A: b\u0000c\r\n\r\n',
  'GET /v1/x HTTP/1.1\nHost: a\n\n',
  'GET http://127.0.0.1:1/admin HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET //127.0.0.1:1/admin HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, http2-settings\r\n\r\n',
  `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\n${'A: b\r\n'.repeat(5000)}\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(70_000)}\r\n\r\n`,
  'GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: authorization\r\n\r\n',
  'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
];
