import { describe, expect, test } from 'vitest';
import { segmentsOf, written } from '../../../../test/convert.ts';
import { message, type WireEvent } from '../../../emulator/backend/wire-story.ts';
import { markdownStyle } from '../../../segments/style.ts';
import { createTurnReader } from '../turn.ts';

const sent = [
  { id: 's1', role: 'user', text: 'q1' },
  { id: 's2', role: 'assistant', text: 'Old answer' },
  { id: 's3', role: 'user', text: 'q2' },
];

/** A message as it comes back: finished, of no type. */
const back = (id: string, role: string, text: string): WireEvent =>
  message(id, role, text, { status: 'finished_successfully', metadata: { message_type: null } });

const answer = (text: string, more: object = {}) => message('a', 'assistant', text, { ends: true, ...more });

function read(events: readonly WireEvent[], isWhole: boolean, end = 'data: [DONE]\n\n') {
  const lines = events.map((event) => `data: ${JSON.stringify({ ...event, conversation_id: 'c' })}\n\n`);
  const reader = createTurnReader({ isWhole, sent });
  const { content } = written(segmentsOf(lines.join('') + end, [50], reader), markdownStyle);
  return [content, reader.state.outcome];
}

describe.each([true, false])('messages of the request that come back (whole: %s)', (isWhole) => {
  test.each<[string, readonly WireEvent[], string]>([
    [
      'are left out by their id',
      [
        back('s1', 'user', 'q1'),
        back('s2', 'assistant', 'Old answer'),
        back('s3', 'user', 'q2'),
        answer('New answer'),
      ],
      'New answer',
    ],
    [
      'are left out under new ids',
      [
        back('x1', 'user', 'q1'),
        back('x2', 'assistant', 'Old answer'),
        back('x3', 'user', 'q2'),
        answer('New answer'),
      ],
      'New answer',
    ],
    [
      'are left out though their text was changed',
      [
        back('x1', 'user', 'q1'),
        back('x2', 'assistant', 'Old  answer.'),
        back('x3', 'user', 'q2'),
        answer('New answer'),
      ],
      'New answer',
    ],
    [
      'are left out without the user’s',
      [back('x2', 'assistant', 'Old answer'), answer('New answer')],
      'New answer',
    ],
    [
      'are not mistaken for an answer that says the same',
      [back('s2', 'assistant', 'Old answer'), answer('Old answer')],
      'Old answer',
    ],
    [
      'are not mistaken for the only answer, of no type',
      [answer('Old answer', { metadata: { message_type: null } })],
      'Old answer',
    ],
    [
      'are not mistaken for the first of two, of no type',
      [back('p', 'assistant', 'One moment.'), answer('New answer')],
      'One moment.\n\nNew answer',
    ],
  ])('%s', (_, events, content) => {
    expect(read(events, isWhole)).toEqual([content, 'whole']);
  });

  test('make no broken stream whole', () => {
    const [content, outcome] = read([back('s2', 'assistant', 'Old answer')], isWhole, '');
    expect([content, outcome]).toEqual(['', 'broken']);
  });
});
