import { expect, test } from 'vitest';
import { baseOf } from './base-url.ts';

test.each([
  ['https://api.openai.com', '/v1/models', 'https://api.openai.com/v1/models'],
  ['https://api.openai.com/', '/v1/models', 'https://api.openai.com/v1/models'],
  ['https://api.openai.com/v1', '/v1/models', 'https://api.openai.com/v1/models'],
  [
    'https://api.openai.com/v1/',
    '/dashboard/billing/usage',
    'https://api.openai.com/dashboard/billing/usage',
  ],
  [
    'https://api.groq.com/openai/v1',
    '/v1/chat/completions',
    'https://api.groq.com/openai/v1/chat/completions',
  ],
  [
    'https://example.com/api/paas/v4',
    '/v1/chat/completions',
    'https://example.com/api/paas/v4/chat/completions',
  ],
  ['https://example.com/v1beta/openai/', '/v1/models', 'https://example.com/v1beta/openai/models'],
  ['https://example.com#', '/v1/chat/completions', 'https://example.com/chat/completions'],
  ['https://example.com/#', '/v1/models', 'https://example.com/models'],
  [
    'https://example.com/inference#',
    '/v1/chat/completions',
    'https://example.com/inference/chat/completions',
  ],
  ['https://example.com/inference/#', '/dashboard/x', 'https://example.com/inference/dashboard/x'],
  ['https://example.com/inference', '/v1/models', 'https://example.com/inference/v1/models'],
  ['http://127.0.0.1:11434//v1', '/v1/models', 'http://127.0.0.1:11434/v1/models'],
])('%s and %s make %s', (base, path, url) => {
  const { origin, pathFor } = baseOf(base);
  expect(origin + pathFor(path)).toBe(url);
});
