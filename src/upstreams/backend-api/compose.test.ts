import { describe, expect, test } from 'vitest';
import { composeNext, sentIn } from './compose.ts';
import { contentsOf } from './inputs.ts';
import type { Attached } from './upload.ts';

type Sent = {
  author: { role: string };
  content: { content_type: string; parts: unknown[] };
  metadata: object;
};

/**
 * The messages that are sent for those of a request, every picture and file with the upstream
 * already.
 */
function compose(
  messages: readonly unknown[],
  stem: string | null = null,
  idOf = (i: number) => `file-${i}`,
) {
  const contents = contentsOf(messages, stem);
  const inputs = contents.flatMap((each) => each.inputs);
  const attached = new Map(
    inputs.map((input, i): [typeof input, Attached] => [
      input,
      {
        id: idOf(i),
        name: 'a.png',
        type: 'image/png',
        bytes: 10,
        size: { width: 1, height: 1 },
        useCase: 'multimodal',
      },
    ]),
  );
  let count = 0;
  const payload = composeNext(messages, contents, attached, {
    model: { slug: 'gpt-4', gizmo: null },
    historyDisabled: false,
    newId: () => `id${++count}`,
  });
  return { inputs, payload, sent: payload.messages as Sent[] };
}

const pointers = (parts: readonly unknown[]) =>
  parts.map((part) => (typeof part === 'string' ? part : (part as { asset_pointer: string }).asset_pointer));
const picture = (url: string) => ({ type: 'image_url', image_url: { url } });
const text = (words: string) => ({ type: 'text', text: words });

describe('the messages that are sent', () => {
  test('several texts and pictures keep their order', () => {
    const content = [text('A:'), picture('https://a.example/1'), text('B:'), picture('https://a.example/2')];
    const { sent } = compose([{ role: 'user', content }]);
    expect(pointers(sent[0]?.content.parts ?? [])).toEqual([
      'A:',
      'file-service://file-0',
      'B:',
      'file-service://file-1',
    ]);
  });

  test('one text stands after its pictures, as the web app sends it', () => {
    const { sent } = compose([{ role: 'user', content: [text('See'), picture('https://a.example/1')] }]);
    expect(pointers(sent[0]?.content.parts ?? [])).toEqual(['file-service://file-0', 'See']);
  });

  test('a newer file id has its own scheme', () => {
    const { sent } = compose(
      [{ role: 'user', content: [picture('https://a.example/1')] }],
      null,
      () => 'file_1',
    );
    expect(pointers(sent[0]?.content.parts ?? [])[0]).toBe('sediment://file_1');
  });

  test('a picture in a data: address has no name, however long it is', () => {
    const { inputs } = compose([
      { role: 'user', content: [picture(`data:image/png;base64,${'A/'.repeat(2e6)}`)] },
    ]);
    expect(inputs[0]?.name).toBeNull();
  });

  test('calls and results of tools become words', () => {
    const { sent } = compose([
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', function: { name: 'get', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '21' },
    ]);
    expect(sent.map(({ author, content }) => [author.role, content.parts[0]])).toEqual([
      ['user', 'Weather?'],
      ['assistant', '[Called get({"a":1})]'],
      ['user', '[Result of get]\n21'],
    ]);
  });

  test('our own pictures in an answer go with the next message, the newest four', () => {
    const stem = 'https://gate.example';
    const links = Array.from({ length: 6 }, (_, i) => `![x](${stem}/images/p${i}.png)`).join(' ');
    const { inputs, sent } = compose(
      [
        { role: 'user', content: 'draw' },
        { role: 'assistant', content: `${links} ![y](https://b.example/images/q.png)` },
        { role: 'user', content: 'make it blue' },
      ],
      stem,
    );
    expect(inputs.map(({ source, isOptional }) => [source, isOptional])).toEqual(
      [2, 3, 4, 5].map((i) => [{ from: 'url', url: `${stem}/images/p${i}.png` }, true]),
    );
    expect(sent[2]?.content.parts.at(-1)).toBe('make it blue');
    expect(sent[0]?.content.parts).toEqual(['draw']);
  });

  test('are known again if the upstream sends them back', () => {
    const { payload } = compose([
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'a' },
    ]);
    expect(sentIn(payload)).toEqual([
      { id: 'id1', role: 'user', text: 'q' },
      { id: 'id2', role: 'assistant', text: 'a' },
    ]);
  });

  test('hints stand in the payload and in the last message; the form of the answer before it', () => {
    const messages = [{ role: 'user', content: 'q' }];
    const payload = composeNext(messages, contentsOf(messages), new Map(), {
      model: { slug: 'gpt-5', gizmo: null },
      historyDisabled: false,
      newId: () => 'id',
      hints: { effort: 'max', systemHints: ['search'] },
      instruction: 'Answer with JSON alone.',
    });
    expect(payload).toMatchObject({ thinking_effort: 'max', system_hints: ['search'] });
    const sent = payload.messages as Sent[];
    expect(sent.map(({ author, content }) => [author.role, content.parts[0]])).toEqual([
      ['system', 'Answer with JSON alone.'],
      ['user', 'q'],
    ]);
    expect(sent[1]?.metadata).toEqual({ system_hints: ['search'] });
  });
});
