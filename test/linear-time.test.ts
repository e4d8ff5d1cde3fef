import { describe, expect, test } from 'vitest';
import { clientAddress, trustedProxies } from '../src/access/client-address.ts';
import { readCredentials } from '../src/access/credentials.ts';
import {
  cameThroughProxy,
  isLoopbackHost,
  isLoopbackOrigin,
  presentsKey,
} from '../src/access/local-request.ts';
import { admitOrigin, corsHeaders, originRules, preflightHeaders } from '../src/access/origins.ts';
import { boundaryIn } from '../src/api/form.ts';
import { contentDisposition, safeFileName } from '../src/files/file-name.ts';
import { idIn } from '../src/files/file-store.ts';
import { endingOf, isPicture } from '../src/files/file-type.ts';
import { listItems } from '../src/http/header-list.ts';
import { isEventStream, requestHeaders, responseHeaders } from '../src/http/headers.ts';
import { parseJsonBody, withModel } from '../src/http/json-body.ts';
import { holdsKey, searchWithout } from '../src/http/key-in-text.ts';
import { isPublicAddress, mayBePublicHost } from '../src/http/public-address.ts';
import { linkStem } from '../src/http/public-url.ts';
import { isStored, parseTarget, placeOf } from '../src/http/request-target.ts';
import { redact, redactBytes, redactFields, redactWords } from '../src/observe/redact.ts';
import { createLimit } from '../src/openai/limit.ts';
import { createSseReader } from '../src/openai/sse.ts';
import { estimateTokens } from '../src/openai/tokens.ts';
import { createEventBoundary } from '../src/relay/event-boundary.ts';
import { createPeek } from '../src/relay/peek.ts';
import { createFence } from '../src/segments/fence.ts';
import { createSnapshotParser } from '../src/upstreams/backend-api/decode/suffix.ts';
import { conversationModel } from '../src/upstreams/backend-api/model-names.ts';
import { createMarkerParser } from '../src/upstreams/backend-api/reduce/markers.ts';
import { unreferred } from '../src/upstreams/backend-api/reduce/sources.ts';
import { createTextDiff } from '../src/upstreams/backend-api/reduce/text-diff.ts';
import { failureOf } from '../src/upstreams/backend-api/refusals.ts';
import { headOf } from './head.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const key = 'a-key/of+the~owner';
const ownRules = originRules({ accessKeys: [], allowedOrigins: [], publicRelay: false }, true);
const privateRules = originRules(
  {
    accessKeys: [],
    allowedOrigins: [],
    publicRelay: false,
    host: '127.0.0.1',
    upstreams: { a: { url: 'http://127.0.0.1', keys: [] } },
  },
  false,
);
const get = (headers: Record<string, string>) => headOf('GET', '/', headers);
const isTrusted = trustedProxies(['127.0.0.0/8']);

/** Every exported function that takes a stranger's text in one piece. */
const functions: Readonly<Record<string, (text: string) => unknown>> = {
  listItems,
  'requestHeaders: Connection': (text) =>
    requestHeaders(['Connection', text, 'a', 'b'], { key, isOwnKey: false }),
  'requestHeaders: a subprotocol': (text) =>
    requestHeaders(['Sec-WebSocket-Protocol', text], { key, isOwnKey: false, accessKey: key }),
  'requestHeaders: any header': (text) =>
    requestHeaders(['x-a', text, text, 'b'], { key, isOwnKey: false, accessKey: key }),
  'responseHeaders: Connection': (text) => responseHeaders(['connection', text], [], false),
  'responseHeaders: any header': (text) => responseHeaders(['link', text], [], false, { secrets: [key] }),
  isEventStream,
  holdsKey: (text) => holdsKey(text, key),
  searchWithout: (text) => searchWithout(`?${text}&${key}`, key),
  parseTarget: (text) => parseTarget(`/v1/${text}`),
  'parseTarget: a query': (text) => parseTarget(`/v1/?${text}`),
  'parseTarget: an absolute form': (text) => parseTarget(`http://${text}`),
  placeOf: (text) => placeOf(`/${text}`, 'GET', 'prefix'),
  isStored: (text) => isStored(`/files/${text}`),
  mayBePublicHost,
  isPublicAddress,
  'linkStem: X-Forwarded-Host': (text) =>
    linkStem({ head: get({ 'x-forwarded-host': text, host: text }), scheme: 'http' } as never, undefined),
  parseJsonBody: (text) => parseJsonBody(encode(text)),
  'parseJsonBody: a string': (text) => parseJsonBody(encode(JSON.stringify({ model: text }))),
  'parseJsonBody: unfinished': (text) => parseJsonBody(encode(`{"a":"${text}`)),
  'withModel: a name': (text) => withModel(parseJsonBody(encode(JSON.stringify({ [text]: text }))), 'm'),
  'readCredentials: Authorization': (text) => readCredentials(['authorization', `Bearer ${text}`], []),
  'readCredentials: a scheme': (text) => readCredentials(['authorization', text], [{ name: null, key }]),
  'readCredentials: a subprotocol': (text) => readCredentials(['sec-websocket-protocol', text], []),
  'readCredentials: x-api-key': (text) => readCredentials(['x-api-key', text], [{ name: null, key }]),
  isLoopbackHost,
  isLoopbackOrigin: (text) => isLoopbackOrigin(`http://${text}`),
  cameThroughProxy: (text) => cameThroughProxy([text, text]),
  presentsKey: (text) =>
    presentsKey(
      headOf('OPTIONS', '/', { 'access-control-request-headers': text, 'sec-websocket-protocol': text }),
    ),
  'admitOrigin: a server-side key': (text) => admitOrigin(get({ host: text, origin: text }), ownRules),
  'admitOrigin: a private upstream': (text) => admitOrigin(get({ host: text, origin: text }), privateRules),
  corsHeaders: (text) => corsHeaders(get({ host: text, origin: text }), ownRules),
  preflightHeaders: (text) => preflightHeaders(get({ 'access-control-request-headers': text })),
  'clientAddress: X-Forwarded-For': (text) =>
    clientAddress(['x-forwarded-for', text], '127.0.0.1', isTrusted),
  'clientAddress: Forwarded': (text) => clientAddress(['forwarded', `for=${text}`], '127.0.0.1', isTrusted),
  redact: (text) => redact(text, [key]),
  redactWords: (text) => redactWords(text, [key]),
  redactBytes: (text) => redactBytes(encode(text), [key]),
  redactFields: (text) => redactFields({ path: text, model: text }, [key, text]),
  boundaryIn,
  'boundaryIn: parameters': (text) => boundaryIn(`multipart/form-data;${text}`),
  safeFileName,
  contentDisposition: (text) => contentDisposition('attachment', text),
  idIn,
  endingOf,
  isPicture,
  estimateTokens,
  conversationModel,
  'failureOf: JSON': (text) =>
    failureOf(
      { status: 400, type: 'application/json', body: `{"detail":"${text}"}`, retryAfter: text },
      true,
    ),
  'failureOf: text': (text) => failureOf({ status: 400, type: text, body: text, retryAfter: null }, true),
  unreferred,
  createSnapshotParser: (text) =>
    createSnapshotParser()(JSON.stringify({ message: { content: { parts: [text] } } })),
};

/** Every exported function that takes a stranger's text in pieces. */
const readers: Readonly<Record<string, () => (piece: string) => unknown>> = {
  createSseReader: () => {
    const reader = createSseReader();
    return (piece) => reader.push(encode(piece));
  },
  createEventBoundary: () => {
    const boundary = createEventBoundary();
    return (piece) => boundary.pass(encode(piece));
  },
  createPeek: () => {
    const peek = createPeek();
    let isOpen = true;
    return (piece) => {
      if (isOpen) isOpen = peek.push(encode(piece)) === 'more';
    };
  },
  createLimit: () => {
    const limit = createLimit({
      stop: ['xxxx', '----a'],
      maxTokens: null,
      countTokens: (text) => text.length,
    });
    return (piece) => limit.push(piece);
  },
  createFence: () => {
    const fence = createFence('text');
    return (piece) => fence.push(piece);
  },
  createMarkerParser: () => {
    const parser = createMarkerParser({ messageId: 'message', waits: true });
    return (piece) => parser.push(piece, undefined, 'growing');
  },
  createTextDiff: () => {
    const diff = createTextDiff();
    let text = '';
    return (piece) => {
      text += piece;
      return diff.next(text, piece, false);
    };
  },
};

/** Functions that are not linear yet, and the reason. */
const waiting: Readonly<Record<string, string>> = {
  'createPeek character by character': 'searches its text again at each push, but holds 16 KB at most',
};

const characters = [
  ...' \t\n\r.-_/\\[](){}`"\',;:=%<>*#|~&+?!@a0',
  '\u00e9',
  '\u2020',
  '\u3010',
  '\ue200',
  '\ue201',
  '\ue202',
];
const alternations = [
  '-.',
  ' ,',
  ', ',
  '..;',
  '%25',
  '%2e',
  '%2f..',
  'sk-',
  'eyJ-',
  'eyJ.',
  'bearer ',
  'Bearer\t',
  ', bearer ',
  '](sandbox:',
  '[[a](',
  'search( ',
  '`\n',
  '\\"',
  'http://',
  '"a":',
  '[{',
  '\ue200a\ue202',
  '\ue200a\ue201',
  '\u3010a\u2020',
  '\n\n',
  'data:\n',
];
const units = [...characters, ...alternations];
/** Pieces of one character: what can begin a line, a mark, an event or a fence. */
const grownUnits = [
  ...' \n\r.-[](`"\\:a',
  '\u3010',
  '\ue200',
  '\ue202',
  '](sandbox:',
  '\n\n',
  'data:\n',
  '\ue200a\ue202',
];

/** Work that takes no longer than this is not compared: on a busy machine it is noise. */
const quietMs = 20;
/** Work that takes longer is not repeated: noise does not matter to it. */
const longMs = 500;
/** n log n for four times the text is a little over four times the work; n² is sixteen. */
const mostGrowth = 9;
/** The same for twice the text. */
const mostDoubled = 3;

function median(work: () => void): number {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
    // One run that is quiet is enough: other work of the process only adds to it.
    if ((times[i] as number) < quietMs || (times[i] as number) > longMs) return times[i] as number;
  }
  return times.sort((a, b) => a - b)[1] as number;
}

/**
 * The growth of the work from n to 4n; 0 if it cannot be measured, or if it does not go on at 8n: one
 * garbage collection is no growth.
 */
function growth(work: (text: string) => void, unit: string, size: number): number {
  const textOf = (length: number) => `x${unit.repeat(Math.ceil(length / unit.length))}x`;
  const large = median(() => work(textOf(4 * size)));
  if (large < quietMs) return 0;
  const small = Math.max(
    median(() => work(textOf(size))),
    1,
  );
  if (large / small <= mostGrowth) return 0;
  const largest = median(() => work(textOf(8 * size)));
  return largest / large > mostDoubled ? large / small : 0;
}

function ignoringErrors(work: (text: string) => unknown): (text: string) => void {
  return (text) => {
    try {
      const result = work(text);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // A refusal is as good as an answer: only the time counts.
    }
  };
}

const grown = (reader: () => (piece: string) => unknown) => (text: string) => {
  const push = reader();
  for (const character of text) push(character);
};

describe('takes linear time', () => {
  const cases: [string, (text: string) => unknown, number, readonly string[]][] = [
    ...Object.entries(functions).map(([name, work]) => [name, work, 8_000, units] as never),
    ...Object.entries(readers).map(
      ([name, reader]) => [`${name} in one piece`, (text: string) => reader()(text), 8_000, units] as never,
    ),
    ...Object.entries(readers).map(
      ([name, reader]) => [`${name} character by character`, grown(reader), 4_000, grownUnits] as never,
    ),
  ];

  test.each(cases)('%s', { timeout: 120_000 }, (name, work, size, texts) => {
    if (Object.hasOwn(waiting, name)) return;
    const slow: string[] = [];
    for (const unit of texts) {
      const times = growth(ignoringErrors(work), unit, size);
      if (times > 0) slow.push(`${JSON.stringify(unit)}: ${times.toFixed(0)} times the work`);
    }
    expect(slow).toEqual([]);
  });

  test('what waits is a case', () => {
    const names = cases.map(([name]) => name);
    for (const name of Object.keys(waiting)) expect(names).toContain(name);
  });

  test('a function that is not linear would be found', () => {
    const quadratic = (text: string) => text.replace(/-+$/, '');
    // A text of 2,000 takes 2 ms: with what each run costs, four times the text is not 9 times the work.
    expect(growth(quadratic, '-', 5_000)).toBeGreaterThan(mostGrowth);
  });
});
