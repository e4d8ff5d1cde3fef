import { describe, expect, inject, test } from 'vitest';
import { answerOnly, written } from '../../../test/convert.ts';
import { createFrameReader, type FrameFilter } from './frames.ts';
import { createTurnReader } from './turn.ts';

const transcripts = inject('transcripts');
const lines = (name: string) => (transcripts[`synthetic/${name}`] ?? '').trim().split('\n');
const any: FrameFilter = { conversationId: null, responseId: null, topic: null };

function answerOf(frames: readonly string[], filter = any): string {
  const reader = createFrameReader(filter);
  const turn = createTurnReader();
  const segments = frames.flatMap((frame) => reader.push(frame).bytes.flatMap((bytes) => turn.push(bytes)));
  return written([...segments, ...turn.end()], answerOnly).content;
}

describe.skipIf(Object.keys(transcripts).length === 0)('made socket logs', () => {
  test.each([
    ['ws-legacy-flat.jsonl', 'Hello over ws'],
    ['ws-legacy-reliable.jsonl', 'Hello over ws'],
    ['v1-handoff.ws-topic.jsonl', 'Over the socket.'],
  ])('%s', (name, text) => {
    expect(answerOf(lines(name))).toBe(text);
  });

  test('answers on one socket are kept apart', () => {
    const ours = lines('ws-legacy-flat.jsonl');
    const theirs = ours.map((line) => line.replaceAll('resp-1', 'resp-2'));
    const mixed = ours.flatMap((line, i) => [theirs[i] ?? '', line]);
    expect(answerOf(mixed, { ...any, responseId: 'resp-1' })).toBe('Hello over ws');
  });

  test('frames that repeat after a reconnection count once', () => {
    const frames = lines('v1-handoff.ws-topic.jsonl');
    expect(answerOf([...frames, ...frames])).toBe('Over the socket.');
  });
});

test('reliable frames are acknowledged before their server gives up', () => {
  const reader = createFrameReader(any);
  const replies = Array.from(
    { length: 120 },
    (_, i) => reader.push(JSON.stringify({ sequenceId: i + 1, type: 'message', data: {} })).replies,
  ).flat();
  expect(replies).toEqual([
    '{"type":"sequenceAck","sequenceId":50}',
    '{"type":"sequenceAck","sequenceId":100}',
  ]);
});

test('what is no frame is nothing', () => {
  const reader = createFrameReader(any);
  for (const text of ['', 'null', '7', '"x"', '{', '[null]', '{"type":"http.response.body","body":"%%%"}']) {
    expect(() => reader.push(text)).not.toThrow();
  }
});
