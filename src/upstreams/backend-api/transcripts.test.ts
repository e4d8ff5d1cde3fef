import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { answerOnly, segmentsOf, written } from '../../../test/convert.ts';
import type { Segment } from '../../segments/segment.ts';
import { createTurnReader } from './turn.ts';

const transcripts = inject('transcripts');
const missing = Object.keys(transcripts).length === 0;
const text = (name: string): string => transcripts[name] ?? '';

type Expected = {
  text: string;
  reasoning?: string;
  images?: string[];
  code?: string[];
  finish?: string;
  error?: string;
  canvas?: { name: string; content: string }[];
};

/** What a reader sees of a stream, and what became of it. */
function converted(stream: string, sizes?: readonly number[]) {
  const reader = createTurnReader();
  const segments = segmentsOf(stream, sizes, reader);
  const withoutDocuments = segments.filter(({ kind }) => kind !== 'document');
  const { content, reasoning } = written(withoutDocuments, answerOnly);
  return {
    content,
    reasoning,
    images: segments.flatMap((segment) =>
      segment.kind === 'image' && segment.asset.from === 'file' ? [segment.asset.pointer] : [],
    ),
    code: codeBlocks(segments),
    documents: segments.flatMap((segment) =>
      segment.kind === 'document' ? [{ name: segment.title, content: segment.text }] : [],
    ),
    errors: segments.flatMap((segment) => (segment.kind === 'error' ? [segment.message] : [])),
    outcome: reader.state.outcome,
  };
}

function codeBlocks(segments: readonly Segment[]): string[] {
  const blocks = new Map<string, string>();
  for (const segment of segments)
    if (segment.kind === 'code') blocks.set(segment.block, (blocks.get(segment.block) ?? '') + segment.text);
  return [...blocks.values()];
}

const outcomes: Readonly<Record<string, string>> = {
  stop: 'whole',
  length: 'cut',
  content_filter: 'blocked',
  '(error: upstream ended early)': 'broken',
  '(waiting for confirmation)': 'confirmation',
  '(continues elsewhere)': 'handoff',
};

describe.skipIf(missing)('made streams give the text that is written beside them', () => {
  const expected = JSON.parse(text('synthetic/expected.json') || '{}') as Record<string, Expected>;
  const cases = Object.entries(expected).filter(([name]) => name.endsWith('.sse'));

  test.each(cases)('%s', (name, wanted) => {
    const result = converted(text(`synthetic/${name}`));
    expect(result.content).toBe(wanted.text.replace('<download_url>', 'https://files.example/sandbox'));
    if (wanted.finish) expect(result.outcome).toBe(outcomes[wanted.finish]);
    expect(result.images).toEqual(wanted.images ?? []);
    if (wanted.code) expect(result.code).toEqual(wanted.code);
    if (wanted.reasoning) expect(result.reasoning).toBe(wanted.reasoning);
    expect(result.documents).toEqual(wanted.canvas ?? []);
    if (wanted.error) expect(result.errors).toEqual([wanted.error]);
  });

  test.each(cases)('%s, however it is cut', (name) => {
    const whole = converted(text(`synthetic/${name}`));
    expect(converted(text(`synthetic/${name}`), [1])).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        expect(converted(text(`synthetic/${name}`), sizes)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  test('two parts of a cut answer are one text', () => {
    const reader = createTurnReader();
    const first = segmentsOf(text('synthetic/v0-max-tokens.part1.sse'), [100], reader);
    reader.resume(true);
    const second = segmentsOf(text('synthetic/v0-max-tokens.part2-continue.sse'), [100], reader);
    expect(written([...first, ...second], answerOnly).content).toBe(
      'Part one of a very long answer that stops in the middle of a word and then ends.',
    );
    expect(reader.state.outcome).toBe('whole');
  });
});

/** Known texts of recorded streams: how they begin and end, how long they are, or the whole. */
const recorded: readonly {
  name: string;
  whole?: string;
  begins?: string;
  ends?: string;
  length?: number;
  outcome: string;
  reasoning?: RegExp;
  not?: RegExp;
}[] = [
  {
    name: 'v0-plain-longtext-gpt35-a.sse',
    begins: 'While the provided code is a commonly used structure',
    ends: 'enabling a more tailored and precise solution.',
    length: 2019,
    outcome: 'whole',
  },
  { name: 'v0-plain-idiom-gpt35.joined.sse', whole: '风调雨顺', outcome: 'whole' },
  {
    name: 'v1-plain-famous-a.sse',
    begins: 'Here’s a list of 10 famous people from different fields:',
    ends: "Any particular field or person you're interested in learning more about?",
    outcome: 'whole',
  },
  {
    name: 'v1-reasoning-tool-a8km123-o3mini.sse',
    begins: '재평가 자체는 주로 회계 장부상의 금 보유 자산 가치를 재산정하는 조치라서,',
    ends: '메커니즘은 아닙 환경의 변화가 시장에서 금 가격의 변동성을 촉발할 가능성은 충분히 있습니다.',
    outcome: 'whole',
    reasoning: /^\*\*Considering gold price fluctuations\*\*.*mostly the same\./s,
    not: /Considering/,
  },
  { name: 'v1-multimsg-hi-gpt53-barelist.sse', whole: 'Hi. What do you need help with?', outcome: 'whole' },
  {
    name: 'v1-bio-tool-loop-gpt53mini.abridged.sse',
    whole:
      '{"tool_calls":[{"id":"call_ls_1","type":"function","function":{"name":"bash","arguments":"{\\"command\\":\\"ls -R\\",\\"description\\":\\"List repository files recursively\\"}"}}]}',
    outcome: 'whole',
    not: /ignore|Model set context updated/,
  },
  { name: 'v1-image-async-gpt53.sse', whole: '', outcome: 'background' },
];

describe.skipIf(missing)('recorded streams give the text their readers saw', () => {
  test.each(recorded)('$name', ({ name, whole, begins, ends, length, outcome, reasoning, not }) => {
    const result = converted(text(name));
    if (whole !== undefined) expect(result.content).toBe(whole);
    if (begins) expect(result.content.startsWith(begins)).toBe(true);
    if (ends) expect(result.content.endsWith(ends)).toBe(true);
    if (length) expect(result.content.length).toBe(length);
    if (reasoning) expect(result.reasoning).toMatch(reasoning);
    if (not) expect(result.content).not.toMatch(not);
    expect(result.outcome).toBe(outcome);
    expect(result.errors).toEqual([]);
  });

  test.each(recorded)('$name, however it is cut', ({ name }) => {
    const whole = converted(text(name));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 6 }), (sizes) => {
        expect(converted(text(name), sizes)).toEqual(whole);
      }),
      { numRuns: 8 },
    );
    if (text(name).length < 20_000) expect(converted(text(name), [1])).toEqual(whole);
  });

  test('v0-plain-longtext-gpt35-a.sse has the checksum it was recorded with', async () => {
    const { content } = converted(text('v0-plain-longtext-gpt35-a.sse'));
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(content));
    const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    expect(hex.slice(0, 16)).toBe('ebdcb2c75f56560f');
  });

  test('v0-final-snapshot-gpt35.json, a single event', () => {
    const { content } = converted(
      `data: ${JSON.stringify(JSON.parse(text('v0-final-snapshot-gpt35.json')))}\n\ndata: [DONE]\n\n`,
    );
    expect(content).toMatch(/^Of course, your privacy matters! I don't store .* I'm here to assist you!$/);
  });

  test('v1-image-call-gpt4o-draw-cat.sse: a picture that is still being drawn is no answer', () => {
    const { content, outcome } = converted(text('v1-image-call-gpt4o-draw-cat.sse'));
    expect([content, outcome]).toEqual(['', 'background']);
  });

  test('v1-entity-excerpt-gpt52.sse, seeded with an empty message', () => {
    const seed = `event: delta_encoding\ndata: "v1"\n\nevent: delta\ndata: ${JSON.stringify({
      p: '',
      o: 'add',
      v: {
        message: {
          id: 'a',
          author: { role: 'assistant' },
          content: { content_type: 'text', parts: [''] },
          status: 'in_progress',
          metadata: { content_references: [] },
          recipient: 'all',
          channel: 'final',
        },
      },
    })}\n\nevent: delta\ndata: {"p":"/message/content/parts/0","o":"append","v":""}\n\n`;
    const wanted =
      ' people who build things with JavaScript.\n\nnpm stands for *Node Package Manager*. It works with Node.js, which lets you run JavaScript outside the browser — on your computer or a server.\n\nWhen developers need something —';
    for (const sizes of [[1], [17], [100_000]])
      expect(converted(seed + text('v1-entity-excerpt-gpt52.sse'), sizes).content).toBe(wanted);
  });

  test('v0-tool-events.jsonl: pictures are found, calls and errors are not the answer', () => {
    const events = text('v0-tool-events.jsonl').trim().split('\n');
    const results = events.map((event) => converted(`data: ${event}\n\ndata: [DONE]\n\n`));
    expect(results.map(({ content }) => content)).toEqual(['', '', '', '']);
    expect(results.map(({ images }) => images)).toEqual([
      ['file-service://2073c3f9-f30e-4225-9728-6a3d2d7a41bd'],
      ['file-service://file-3lZoyavh3UZ9QJT5k1dJjk4J'],
      [],
      [],
    ]);
    expect(results[3]?.errors[0]).toMatch(/unusual activity/);
  });
});
