import { describe, expect, test } from 'vitest';
import type { Ports } from '../../ports/ports.ts';
import type { Segment } from '../../segments/segment.ts';
import type { SegmentBatches } from '../upstream.ts';
import { createClient } from './client.ts';
import { redactErrors } from './redact-errors.ts';

const key = 'sk-the-key-of-the-owner';

describe('the key that an upstream repeats does not reach the caller', () => {
  const clientOf = (body: unknown, status: number) => {
    const fetch = async () => Response.json(body, { status });
    return createClient(
      {
        base: 'http://upstream',
        key: { key, own: false },
        account: null,
        timeouts: { connect: 0, firstByte: 0, idle: 0, total: 0 },
      },
      { http: { fetch } } as unknown as Ports,
    );
  };

  test.each([
    [{ detail: `bad token Bearer ${key}` }, 400],
    [{ detail: { message: `bad token ${key}` } }, 400],
    [{ detail: [{ msg: `bad token ${key}` }] }, 422],
    [{ detail: `see https://upstream/?token=${encodeURIComponent(key)}` }, 500],
    [{ error: { message: `Basic ${btoa(`u:${key}`)}` } }, 503],
  ])('in a refusal %j', async (body, status) => {
    const refusal = clientOf(body, status).conversation({}, new AbortController().signal);
    const failure = await refusal.catch((error: Error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).not.toMatch(/the-key-of|dGhlLWtleS1vZi/);
  });

  test('in the words about a file', async () => {
    const client = clientOf({ error_message: `no file for ${key}` }, 200);
    await expect(client.locateFile('f', null, 'file-service://f')).rejects.toThrow('no file for [redacted]');
  });

  test('in an error inside a stream', async () => {
    async function* batches(): AsyncGenerator<readonly Segment[]> {
      yield [{ kind: 'error', message: `bad token ${key}`, code: null }];
    }
    const { redact } = clientOf({}, 200);
    const all: Segment[] = [];
    for await (const batch of redactErrors(batches() as unknown as SegmentBatches, redact))
      all.push(...batch);
    expect(all).toEqual([{ kind: 'error', message: 'bad token [redacted]', code: null }]);
  });
});
