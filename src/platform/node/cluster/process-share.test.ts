import { expect, test } from 'vitest';
import { loadSettings } from '../../../settings/load.ts';
import { shareOfProcess } from './process-share.ts';

function settingsOf(env: Record<string, string>) {
  const loaded = loadSettings({ env: { OPENAI_BASE_URL: 'https://up.example', ...env }, platform: 'node' });
  if (!loaded.ok) throw new Error(loaded.errors.join());
  return loaded.settings;
}

test('each process gets its share of a limit, rounded up', () => {
  const settings = settingsOf({ WORKERS: '4', MAX_CONCURRENT: '10', MAX_CONCURRENT_PER_CALLER: '4' });
  expect(shareOfProcess(settings)).toMatchObject({ maxConcurrent: 3, maxConcurrentPerCaller: 1 });
});

test('no limit stays no limit', () => {
  const share = shareOfProcess(settingsOf({ WORKERS: '4' }));
  expect(share).toMatchObject({ maxConcurrent: 0, maxConcurrentPerCaller: 0 });
  expect(share.upstreams.openai).toMatchObject({ concurrency: 0 });
});

test('upstreams are shared as well, and nothing else changes', () => {
  const settings = settingsOf({ WORKERS: '2' });
  const { openai } = settings.upstreams;
  if (!openai) throw new Error('no upstream');
  const limited = { ...settings, upstreams: { openai: { ...openai, concurrency: 5, queue: 0 } } };
  expect(shareOfProcess(limited)).toEqual({
    ...limited,
    upstreams: { openai: { ...openai, concurrency: 3, queue: 0 } },
  });
});
