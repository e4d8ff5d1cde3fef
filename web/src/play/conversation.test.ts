import { expect, test } from 'vitest';
import { type Exchange, history, noAnswer, partsOf, userMessage } from './conversation.ts';

const exchange = (text: string, answer: Partial<Exchange['answer']>): Exchange => ({
  id: 0,
  user: userMessage(text, []),
  answer: { ...noAnswer, state: 'done', ...answer },
});

test('an exchange that failed, or was stopped before its first chunk, is not sent again', () => {
  expect(
    history([
      exchange('one', { text: '1' }),
      exchange('wrong key', { state: 'failed', error: 'no' }),
      exchange('half', { state: 'failed', text: 'ha', error: 'broke off' }),
      exchange('stopped at once', { state: 'stopped' }),
      exchange('stopped later', { state: 'stopped', text: 'so far' }),
    ]),
  ).toEqual([
    { role: 'user', content: 'one' },
    { role: 'assistant', content: '1' },
    { role: 'user', content: 'stopped later' },
    { role: 'assistant', content: 'so far' },
  ]);
});

test('a message is its text and its pictures, and can be taken apart again', () => {
  expect(userMessage('a', [])).toEqual({ role: 'user', content: 'a' });
  expect(userMessage('', ['data:1']).content).toHaveLength(1);
  expect(partsOf(userMessage('a', ['data:1', 'data:2']))).toEqual({
    text: 'a',
    pictures: ['data:1', 'data:2'],
  });
});
