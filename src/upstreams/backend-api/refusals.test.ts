import { describe, expect, inject, test } from 'vitest';
import { failureOf } from './refusals.ts';

const transcripts = inject('transcripts');
const refused = (
  status: number,
  body: unknown,
  type = 'application/json',
  retryAfter: string | null = null,
) =>
  failureOf({ status, type, body: typeof body === 'string' ? body : JSON.stringify(body), retryAfter }, true);

describe.skipIf(Object.keys(transcripts).length === 0)('recorded errors', () => {
  const recorded = (transcripts['errors.jsonl'] ?? '')
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as {
          status: number;
          body: { detail?: unknown; error?: unknown };
          body_kind?: string;
        },
    )
    .filter(({ body_kind }) => body_kind === undefined);
  const status: Readonly<Record<number, number>> = { 413: 400 };

  test.each(recorded)('$status $body', ({ status: given, body }) => {
    const failure = refused(given, body);
    expect(failure.status).toBe(status[given] ?? given);
    const detail = (body.detail ?? body.error) as string | { message: string };
    expect(failure.message).toBe(typeof detail === 'string' ? detail : detail.message);
  });

  test('a cap says when it clears', () => {
    const cap = recorded.find(({ body }) => JSON.stringify(body).includes('clears_in'));
    expect(refused(429, cap?.body).headers).toEqual({ 'retry-after': '13078' });
  });

  test.each(['error-422-body-not-json.json', 'error-422-missing-model.json'])(
    '%s is a 400 that does not repeat the request',
    (name) => {
      const failure = refused(422, transcripts[name] ?? '');
      expect(failure.status).toBe(400);
      expect(failure.message.length).toBeLessThan(300);
      expect(failure.message).not.toContain('"action"');
    },
  );
});

describe('errors in any shape', () => {
  test.each([
    [403, '<html>challenge</html>', 'text/html', 502],
    [403, { detail: 'Not for you.' }, 'application/json', 403],
    [404, 'nothing here', 'text/plain', 404],
    [500, '', 'text/plain', 502],
    [503, '<html>', 'text/html', 503],
    [524, '', 'text/html', 504],
    [418, { detail: null }, 'application/json', 502],
    [409, { detail: { code: 'busy' } }, 'application/json', 409],
  ])('%d %j becomes %d', (status, body, type, wanted) => {
    const failure = refused(status, body, type);
    expect(failure.status).toBe(wanted);
    expect(failure.message).not.toContain('<');
    expect(failure.message.length).toBeGreaterThan(10);
  });

  test('a key of the owner that was refused is no fault of the caller', () => {
    const failure = failureOf(
      { status: 401, type: 'application/json', body: '{"detail":"expired"}', retryAfter: null },
      false,
    );
    expect(failure.status).toBe(502);
  });

  test('Retry-After of the upstream passes', () => {
    expect(refused(429, {}, 'application/json', '30').headers).toEqual({ 'retry-after': '30' });
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT';
    expect(refused(429, {}, 'application/json', date).headers).toEqual({ 'retry-after': date });
  });
});
