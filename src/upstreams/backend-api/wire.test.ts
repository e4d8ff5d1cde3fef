import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { segmentsOf, written } from '../../../test/convert.ts';
import { wireStories } from '../../emulator/backend/wire-stories.ts';
import { encodeWire } from '../../emulator/backend/wire-story.ts';
import { markdownStyle } from '../../segments/style.ts';
import { createTurnReader } from './turn.ts';

/** What a story must give: its answer, and if it differs the answer as it is streamed. */
type Expected = {
  readonly content: string;
  readonly streamed?: string;
  readonly reasoning?: string;
  /** Each source, and the words of the answer that it stands at. */
  readonly annotations?: readonly (readonly [url: string, words: string])[];
};

const notice = '> Note: the upstream changed its answer. The corrected text follows.';

const expected: Readonly<Record<string, Expected>> = {
  changed: {
    content: 'The answer is 42',
    streamed: `The answer is 41\n\n${notice}\n\nThe answer is 42`,
  },
  truncated: {
    content: 'Take the right door.',
    streamed: `Take the left\n\n${notice}\n\nTake the right door.`,
  },
  fence: {
    content: 'So:\n```js\nlet b = 1\n```',
    streamed: `So:\n\`\`\`js\nlet a = 1\n\`\`\`\n\n${notice}\n\nSo:\n\`\`\`js\nlet b = 1\n\`\`\``,
  },
  hidden: {
    content: 'Sky ([a](https://a.example/page)) is blue.',
    annotations: [['https://a.example/page', '([a](https://a.example/page))']],
  },
  late: {
    content: 'Blue ([a.example](https://a.example/page)).',
    annotations: [['https://a.example/page', '([a.example](https://a.example/page))']],
  },
  never: { content: `Sky. ${'More. '.repeat(60)}End.` },
  shapes: {
    content:
      'A ([a.example](https://a.example/page)) B ([b.example](https://b.example/page)) C ([c.example](https://c.example/page)) D ([d.example](https://d.example/page)) E ([e.example](https://e.example/page), [f.example](https://f.example/page))',
    annotations: [
      ['https://a.example/page', '([a.example](https://a.example/page))'],
      ['https://b.example/page', '([b.example](https://b.example/page))'],
      ['https://c.example/page', '([c.example](https://c.example/page))'],
      ['https://d.example/page', '([d.example](https://d.example/page))'],
      [
        'https://e.example/page',
        '([e.example](https://e.example/page), [f.example](https://f.example/page))',
      ],
      [
        'https://f.example/page',
        '([e.example](https://e.example/page), [f.example](https://f.example/page))',
      ],
    ],
  },
  results: {
    content: '> - [About a.example](https://a.example/page)\n\nBlue ([a.example](https://a.example/page)).',
    annotations: [['https://a.example/page', '([a.example](https://a.example/page))']],
  },
  footnote: { content: 'Blue.', annotations: [['https://a.example/page', '']] },
  pictures: {
    content:
      'See [Gate](https://a.example/gate) and [Film](https://v.example/1) or News: [About n.example](https://n.example/page). The Lamp X is good.',
    annotations: [
      ['https://a.example/gate', '[Gate](https://a.example/gate)'],
      ['https://v.example/1', '[Film](https://v.example/1)'],
      ['https://n.example/page', 'News: [About n.example](https://n.example/page)'],
    ],
  },
  writing: { content: 'Here:\n\n**Hi**\n\nDear Bob\n\nBye?' },
  tracking: { content: '[a](https://a.example/) and https://b.example/?x=1.' },
  thoughts: { content: 'Yes.', reasoning: 'Sources: It says so.' },
  private: { content: 'One.', reasoning: '```python\nprint(1)\n```\n\n```\n1\n```' },
  files: { content: '> Searched: alpha\n> Searched: beta\n\nFound.' },
  connector: { content: 'No mail.' },
  shell: { content: '```sh\nls -l\n```\n\n```\na.txt\n```\n\nOne file.' },
  result: { content: '```python\n1/0\n```\n\n```\nstart\nZeroDivisionError\n```\n\nIt fails.' },
  attached: { content: '[report.pdf](https://files.example/file_123)\n\nYour report.' },
  declined: { content: 'I cannot draw that.' },
  clarify: { content: 'Which years?' },
  variants: { content: 'A1 A2' },
  order: { content: 'Before\n\n![image](https://files.example/file-1)\n\nAfter' },
  voice: { content: 'Good morning.' },
  oauth: { content: '> Note: this GPT needs you to sign in at api.example.com first, in the web app.' },
  pattern: {
    content: 'Done.\n\n**x.py**\n\n```python\na = 3\nb = 2\n```\n\n**x.py: comments**\n\n- Why b?',
  },
};

function read(name: string, encoding: 'v0' | 'v1', isWhole: boolean, sizes: readonly number[] = [1 << 20]) {
  const stream = [...encodeWire(wireStories[name]?.events ?? [], 'c', encoding)].join('');
  const reader = createTurnReader({ isWhole });
  const { content, reasoning, annotations } = written(segmentsOf(stream, sizes, reader), markdownStyle);
  const sources = (annotations as { start: number; end: number; url: string }[]).map(
    ({ start, end, url }) => [url, content.slice(start, end)] as const,
  );
  return { content, reasoning, annotations: sources, outcome: reader.state.outcome };
}

test('every story of the wire says what it must give', () => {
  expect(Object.keys(expected).sort()).toEqual(Object.keys(wireStories).sort());
});

describe.each(Object.entries(expected))('on the wire: %s', (name, wanted) => {
  const { content, streamed = content, reasoning = '', annotations = [] } = wanted;

  test.each(['v0', 'v1'] as const)('not streamed (%s)', (encoding) => {
    expect(read(name, encoding, true)).toEqual({ content, reasoning, annotations, outcome: 'whole' });
  });

  test.each(['v0', 'v1'] as const)('streamed, however it is cut (%s)', (encoding) => {
    const wanted = { content: streamed, reasoning, annotations, outcome: 'whole' };
    expect(read(name, encoding, false)).toEqual(wanted);
    expect(read(name, encoding, false, [1])).toEqual(wanted);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        expect(read(name, encoding, false, sizes)).toEqual(wanted);
      }),
      { numRuns: 10 },
    );
  });
});
