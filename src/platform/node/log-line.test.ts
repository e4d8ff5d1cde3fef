import { setImmediate as nextTurn } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { readableLine } from './log-line.ts';
import { createLogger } from './logger.ts';

const request = {
  level: 'info',
  time: '2026-11-21T14:30:47.000Z',
  id: 'req_1',
  method: 'POST',
  route: '/v1/*',
  path: '/v1/chat/completions',
  model: 'gpt-4o-mini',
  upstream: 'main',
  attempts: 1,
  status: 200,
  bytes: 231,
  firstByteMs: 12.5,
  totalMs: 44.8,
  endedBy: 'done',
  msg: 'request',
};
const line = (fields: object) => stripVTControlCharacters(readableLine(`${JSON.stringify(fields)}\n`));

test('a request is one short line: status, path, model, upstream, time, size, id', () => {
  expect(line(request)).toMatch(
    /^\d\d:\d\d:\d\d {2}200 {4}POST \/v1\/chat\/completions {2}gpt-4o-mini → main {2}45 ms {2}231 B {2}req_1\n$/,
  );
});

test('what is unusual is shown by name, what is not known is left out', () => {
  const text = line({
    ...request,
    level: 'warn',
    status: 502,
    model: null,
    attempts: 2,
    endedBy: 'upstream',
    error: 'reset',
  });
  expect(text).toContain(
    '502    POST /v1/chat/completions  main  45 ms  231 B  attempts=2  endedBy=upstream  error=reset',
  );
});

test('any other line has its level, its message and its fields', () => {
  expect(line({ level: 'warn', time: 'x', msg: 'Redis cannot be used', error: 'ECONNREFUSED' })).toBe(
    '--:--:--  WARN   Redis cannot be used  error=ECONNREFUSED\n',
  );
});

test('a caller cannot write control characters to the terminal', () => {
  const esc = String.fromCharCode(27);
  const text = readableLine(
    JSON.stringify({ ...request, path: `/v1/${esc}[2J\r\nfake`, model: `a${esc}[31mb` }),
  );
  expect(stripVTControlCharacters(text)).toContain('/v1/ [2J  fake');
  expect(text.split('\n')).toHaveLength(2);
  expect(text).not.toContain(`${esc}[2J`);
  expect(text).not.toContain(`${esc}[31m`);
});

test('a line that is no JSON stays as it is', () => {
  expect(readableLine('plain\n')).toBe('plain\n');
});

test('a terminal gets readable lines, anything else JSON, both without secrets', async () => {
  for (const isTTY of [true, false]) {
    let written = '';
    const log = createLogger('info', ['canary-secret'], { isTTY, write: (text) => (written += text) });
    log('info', 'request', { ...request, model: 'canary-secret' });
    log('debug', 'not shown');
    await nextTurn();
    await nextTurn();
    expect(written).not.toContain('canary');
    expect(written.startsWith('{')).toBe(!isTTY);
    expect(written.split('\n')).toHaveLength(2);
  }
});
