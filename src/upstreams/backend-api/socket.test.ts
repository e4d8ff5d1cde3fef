import { expect, test } from 'vitest';
import { listen } from './socket.ts';

/** A socket that the test plays the server of. */
class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  isClosed = false;
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.isClosed = true;
  }
  say(frame: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(frame) }));
  }
}

function open(url = 'wss://sockets.example/x', filter = {}) {
  const socket = new FakeSocket();
  const opened: string[] = [];
  const openSocket = (address: URL) => {
    opened.push(address.href);
    return socket as unknown as WebSocket;
  };
  const source = listen(
    { openSocket },
    {
      url,
      allow: new Set(['10.0.0.1:443']),
      filter: { conversationId: null, responseId: null, topic: null, ...filter },
      hello: ['hello'],
    },
  );
  return { socket, source, opened };
}
const body = (text: string, isLast = false) => ({
  type: 'http.response.body',
  body: btoa(text),
  more_body: !isLast,
});
const text = async (source: { read(): Promise<{ value?: Uint8Array | undefined }> }) =>
  new TextDecoder().decode((await source.read()).value);

test('frames that came together are read together, and the end closes the socket', async () => {
  const { socket, source } = open();
  socket.dispatchEvent(new Event('open'));
  expect(socket.sent).toEqual(['hello']);
  socket.say(body('one '));
  socket.say(body('two '));
  expect(await text(source)).toBe('one two ');
  const next = text(source);
  socket.say(body('three', true));
  expect(await next).toBe('three');
  expect(await source.read()).toEqual({ done: true });
  expect(socket.isClosed).toBe(true);
});

test('a socket that sends faster than it is read is closed, and what it sent is dropped', async () => {
  const { socket, source } = open();
  const data = JSON.stringify(body('x'.repeat(4 * 1024 * 1024)));
  for (let i = 0; i < 17; i++) socket.dispatchEvent(new MessageEvent('message', { data }));
  expect(socket.isClosed).toBe(true);
  await expect(source.read()).rejects.toThrow('faster than its answer is read');
});

test('a socket that breaks fails the read that waits', async () => {
  const { socket, source } = open();
  const next = source.read();
  socket.dispatchEvent(new Event('error'));
  await expect(next).rejects.toThrow('broke');
});

test('leaving ends a read that waits', async () => {
  const { socket, source } = open();
  const next = source.read();
  source.cancel();
  expect(await next).toEqual({ done: true });
  expect(socket.isClosed).toBe(true);
});

test('frames without the shape of one are no exception', async () => {
  const { socket, source } = open('wss://sockets.example/x', { topic: 't' });
  for (const frame of [null, 1, [null], { type: 'reply', reply: { catchups: [null, 1, 'x'] } }])
    socket.say(frame);
  let nested: unknown = { type: 'reply', topic_id: 't', reply: { catchups: [] } };
  for (let i = 0; i < 3000; i++) nested = { type: 'reply', topic_id: 't', reply: { catchups: [nested] } };
  socket.say(nested);
  socket.say(body('fine', true));
  expect(await text(source)).toBe('fine');
});

test.each(['http://sockets.example/', 'wss://user:pass@sockets.example/', 'nonsense', 'wss://long'])(
  'the address %s is not opened',
  (url) => {
    const address = url === 'wss://long' ? `wss://a/${'x'.repeat(9000)}` : url;
    expect(() => open(address)).toThrow('named no socket');
  },
);

test('private addresses are opened only if they are allowed', () => {
  for (const host of ['127.0.0.1', 'localhost', '10.0.0.1:444', '[::1]', '169.254.169.254'])
    expect(() => open(`wss://${host}/`)).toThrow('private address');
  expect(open('wss://10.0.0.1/').opened).toEqual(['wss://10.0.0.1/']);
});
