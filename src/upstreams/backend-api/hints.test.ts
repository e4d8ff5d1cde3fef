import { expect, test } from 'vitest';
import { hintsIn } from './hints.ts';

test.each([
  [{ reasoning_effort: 'low' }, 'standard', []],
  [{ reasoning_effort: 'medium' }, 'extended', []],
  [{ reasoning: { effort: 'high' } }, 'max', []],
  [{ reasoning_effort: 'constructor' }, null, []],
  [{ web_search_options: {} }, null, ['search']],
  [
    { tools: [{ type: 'web_search_preview' }, { type: 'image_generation' }, null] },
    null,
    ['search', 'picture_v2'],
  ],
  [{ system_hints: ['picture_v2', 'something'] }, null, ['picture_v2']],
  [{}, null, []],
])('%j', (request, effort, systemHints) => {
  expect(hintsIn(request)).toEqual({ effort, systemHints });
});
