import { expect, test } from 'vitest';
import { conversationModel, nearestNames, slugsIn } from './model-names.ts';

test('a slug that the upstream lists goes as it is, even one that has another meaning here', () => {
  const listed = new Set(
    slugsIn({
      models: [{ slug: 'gpt-5-3' }, { slug: 'gpt-5-3' }, null, { slug: 'a b' }, { slug: 'gpt-4-32k' }],
    }),
  );
  expect([...listed]).toEqual(['gpt-5-3', 'gpt-4-32k']);
  expect(conversationModel('gpt-5-3', listed)?.slug).toBe('gpt-5-3');
  expect(conversationModel('gpt-4-32k', listed)?.slug).toBe('gpt-4-32k');
  expect(conversationModel('gpt-5-3')).toBeNull();
});

test('the upstream chooses for `auto` and for models that only draw', () => {
  for (const name of ['auto', 'gpt-image-1', 'gpt-image-2', 'gpt-image-1.5'])
    expect(conversationModel(name)?.slug).toBe('auto');
});

test('the nearest names of one that is not known', () => {
  const names = ['gpt-5-3', 'gpt-5', 'gpt-4o', 'o3', 'dall-e-3'];
  expect(nearestNames('gpt-5-4', names)).toEqual(['gpt-5-3', 'gpt-5']);
  expect(nearestNames('llama', names)).toEqual([]);
  expect(nearestNames('x'.repeat(1e6), names)).toEqual([]);
});
