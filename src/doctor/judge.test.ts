import { describe, expect, test } from 'vitest';
import { bufferingHop, isBuffered } from './judge.ts';

describe('whether a stream was collected on its way', () => {
  const every = (gap: number) => Array.from({ length: 12 }, (_, i) => i * gap);
  test.each([
    ['as it was sent', every(100), false],
    ['a little unsteady', [0, 101, 203, 300, 380, 520, 600, 702, 799, 905, 1000, 1100], false],
    [
      'two at a time, as a busy network does now and then',
      [0, 0, 200, 200, 400, 400, 600, 600, 800, 800, 1000, 1000],
      false,
    ],
    ['all at once', every(0), true],
    ['in three heaps', [0, 0, 0, 0, 400, 400, 400, 400, 800, 800, 800, 800], true],
    ['nothing', [], true],
  ])('%s', (_, arrivals, buffered) => {
    expect(isBuffered(arrivals, 100)).toBe(buffered);
  });

  test.each([
    [{ server: 'nginx/1.22' }, 'nginx', 'proxy_buffering off'],
    [{ 'cf-ray': '1' }, 'Cloudflare', 'compression'],
    [{ server: 'Apache/2.4' }, 'Apache', 'flushpackets'],
    [{ via: '1.1 Caddy' }, 'Caddy', 'flush_interval'],
    [{ via: '1.1 squid' }, '1.1 squid', 'buffering'],
    [{}, '?', 'proxy'],
  ])('%j tells of %s', (headers, hop, fix) => {
    expect(bufferingHop(new Headers(headers as Record<string, string>))).toEqual({
      hop,
      fix: expect.stringContaining(fix),
    });
  });
});
