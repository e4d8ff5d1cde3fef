import { wireStories } from './wire-stories.ts';
import { message, type WireEvent } from './wire-story.ts';

/**
 * A message of a scripted turn: what it says, piece by piece, and what is known of it when it is
 * finished.
 */
export type Line = {
  readonly role: 'assistant' | 'tool' | 'system' | 'user';
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly type?:
    | 'text'
    | 'code'
    | 'execution_output'
    | 'multimodal_text'
    | 'system_error'
    | 'thoughts'
    | 'tether_quote';
  readonly text?: string;
  /** Fields of the content beyond its text. */
  readonly content?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly endTurn?: boolean;
  readonly finish?: 'stop' | 'max_tokens';
};

/** How a turn goes: its messages, and what goes wrong. */
export type Script = {
  readonly lines: readonly Line[];
  readonly ends?: 'done' | 'cut' | 'error' | 'blocked' | 'background' | 'handoff';
  readonly encoding?: 'v0' | 'v1';
  /** The whole turn, if the stream does not have it: a request resumes it, or it is stored. */
  readonly kept?: { readonly by: 'request' | 'store'; readonly lines: readonly Line[] };
  /** Instead of lines: the events themselves. */
  readonly wire?: readonly WireEvent[];
};

const say = (text: string, more: Partial<Line> = {}): Line => ({
  role: 'assistant',
  text,
  endTurn: true,
  finish: 'stop',
  ...more,
});

const picture = (id: string, prompt: string) => ({
  content_type: 'image_asset_pointer',
  asset_pointer: id,
  size_bytes: 12_000,
  width: 64,
  height: 64,
  fovea: null,
  metadata: { dalle: { gen_id: 'gen', prompt, seed: 1 } },
});

const thought: Line = {
  role: 'assistant',
  type: 'thoughts',
  content: { thoughts: [{ summary: 'Thinking', content: 'About sluices.' }] },
};

const source = 'https://en.wikipedia.org/wiki/Sluice';

/** What a user's words ask for: a command at their beginning, or an echo. */
const commands: Readonly<Record<string, (rest: string) => Script>> = {
  code: () => ({
    lines: [
      say("I'll compute that.", { endTurn: false }),
      { role: 'assistant', recipient: 'python', type: 'code', text: 'print(6 * 7)', finish: 'stop' },
      { role: 'tool', name: 'python', type: 'execution_output', text: '42\n' },
      say('It is 42. [result](sandbox:/mnt/data/result (1).csv) has it all.'),
    ],
  }),
  plot: () => ({
    lines: [
      {
        role: 'assistant',
        recipient: 'python',
        type: 'code',
        text: 'plt.plot([1, 2])\nplt.show()',
        finish: 'stop',
      },
      {
        role: 'tool',
        name: 'python',
        type: 'execution_output',
        text: '\n<<ImageDisplayed>>',
        metadata: {
          aggregate_result: {
            status: 'success',
            messages: [
              { message_type: 'image', image_url: 'file-service://file-plot1', width: 64, height: 64 },
            ],
          },
        },
      },
      say('There is the plot.'),
    ],
  }),
  browse: () => ({
    lines: [
      {
        role: 'assistant',
        recipient: 'browser',
        type: 'code',
        text: 'search("what is a sluice")',
        finish: 'stop',
      },
      {
        role: 'tool',
        name: 'browser',
        type: 'tether_quote',
        text: 'A sluice is a channel.',
        content: { url: source, domain: 'en.wikipedia.org', title: 'Sluice' },
      },
      say('A sluice is a channel with a gate【3†source】.', {
        metadata: {
          citations: [
            {
              start_ix: 34,
              end_ix: 44,
              citation_format_type: 'tether_og',
              metadata: {
                type: 'webpage',
                title: 'Sluice',
                url: source,
                text: '',
                extra: { cited_message_idx: 3 },
              },
            },
          ],
        },
      }),
    ],
  }),
  cite: () => ({
    encoding: 'v1',
    lines: [
      say('Water flows\uE200cite\uE202turn0search0\uE201 downhill.', {
        channel: 'final',
        metadata: {
          content_references: [
            {
              matched_text: '\uE200cite\uE202turn0search0\uE201',
              type: 'grouped_webpages',
              alt: `([wikipedia](${source}))`,
              items: [{ title: 'Sluice', url: source }],
            },
          ],
        },
      }),
    ],
  }),
  draw: (rest) => {
    const count = Math.min(Math.max(Number.parseInt(rest, 10) || 1, 1), 10);
    const parts = Array.from({ length: count }, (_, i) =>
      picture(`file-service://file-drawn${i}`, `A sluice, ${i}`),
    );
    return {
      lines: [
        {
          role: 'assistant',
          recipient: 'dalle.text2im',
          type: 'code',
          text: '{"prompt":"A sluice"}',
          finish: 'stop',
        },
        { role: 'tool', name: 'dalle.text2im', type: 'multimodal_text', content: { parts } },
        {
          role: 'tool',
          name: 'dalle.text2im',
          recipient: 'assistant',
          text: 'The images were already displayed to the user.',
        },
        say('Here you are.'),
      ],
    };
  },
  later: () => ({
    encoding: 'v1',
    ends: 'background',
    lines: [
      {
        role: 'assistant',
        recipient: 't2uay3k.sj1i4kz',
        type: 'code',
        text: '{"prompt":"A sluice"}',
        finish: 'stop',
      },
      {
        role: 'tool',
        name: 't2uay3k.sj1i4kz',
        text: 'Drawing ...',
        metadata: { image_gen_task_id: 'task-1', image_gen_async: true, ui_card_title: 'Drawing' },
      },
    ],
    kept: {
      by: 'store',
      lines: [
        {
          role: 'tool',
          name: 't2uay3k.sj1i4kz',
          type: 'multimodal_text',
          content: { parts: [picture('sediment://file_later', 'A sluice')] },
          metadata: { async_task_type: 'image_gen' },
        },
      ],
    },
  }),
  handoff: () => ({
    encoding: 'v1',
    ends: 'handoff',
    lines: [],
    kept: { by: 'store', lines: [say('Answered out of sight.')] },
  }),
  moved: () => ({
    encoding: 'v1',
    ends: 'handoff',
    lines: [],
    kept: { by: 'request', lines: [thought, say('Resumed by a request.', { channel: 'final' })] },
  }),
  resume: () => ({
    encoding: 'v1',
    ends: 'cut',
    lines: [thought, say('This answer breaks in the mid', { channel: 'final', endTurn: false })],
    kept: {
      by: 'request',
      lines: [thought, say('This answer breaks in the middle, and is resumed.', { channel: 'final' })],
    },
  }),
  repair: () => ({
    ends: 'cut',
    lines: [say('This stream is lost, the ans', { endTurn: false })],
    kept: { by: 'store', lines: [say('This stream is lost, the answer is stored.')] },
  }),
  research: () => ({
    encoding: 'v1',
    ends: 'background',
    lines: [thought],
    kept: {
      by: 'store',
      lines: [
        thought,
        say('A report about sluices.', {
          endTurn: false,
          metadata: { is_async_task_result_message: true, async_task_type: 'research' },
        }),
      ],
    },
  }),
  question: () => ({
    encoding: 'v1',
    ends: 'background',
    lines: [thought],
    kept: {
      by: 'store',
      lines: [
        thought,
        { role: 'tool', name: 'research_kickoff_tool.clarify_with_text', text: 'Which sluices?' },
      ],
    },
  }),
  declined: () => ({
    encoding: 'v1',
    ends: 'background',
    lines: [
      {
        role: 'tool',
        name: 't2uay3k.sj1i4kz',
        text: 'Drawing ...',
        metadata: { image_gen_task_id: 'task-2', image_gen_async: true, ui_card_title: 'Drawing' },
      },
    ],
    kept: {
      by: 'store',
      lines: [{ role: 'tool', name: 't2uay3k.sj1i4kz', text: 'I cannot draw that.', endTurn: true }],
    },
  }),
  think: () => ({
    encoding: 'v1',
    lines: [
      {
        role: 'assistant',
        type: 'thoughts',
        content: { thoughts: [{ summary: 'Thinking', content: 'About water.' }] },
      },
      say('Water finds its way.', { channel: 'final' }),
    ],
  }),
  canvas: () => ({
    encoding: 'v1',
    lines: [
      {
        role: 'assistant',
        recipient: 'canmore.create_textdoc',
        type: 'code',
        text: '{"name":"Poem","type":"document","content":"Gates rise,\\nwater falls."}',
        finish: 'stop',
      },
      { role: 'tool', name: 'canmore.create_textdoc', text: 'Successfully created.' },
      say('I wrote a poem.', { channel: 'final' }),
    ],
  }),
  remember: () => ({
    encoding: 'v1',
    lines: [
      { role: 'assistant', recipient: 'bio', channel: 'commentary', text: 'ignore', finish: 'stop' },
      { role: 'tool', name: 'bio', recipient: 'assistant', text: 'Model set context updated.' },
      say('Noted.', { channel: 'final' }),
    ],
  }),
  long: () => ({
    lines: [say('This is the first half of a long ans', { finish: 'max_tokens', endTurn: true })],
  }),
  act: () => ({
    lines: [
      {
        role: 'assistant',
        recipient: 'api_example_com__jit_plugin.getWeather',
        type: 'code',
        text: '{"city":"Delft"}',
        finish: 'stop',
      },
      {
        role: 'tool',
        name: 'api_example_com__jit_plugin.getWeather',
        text: '',
        metadata: {
          jit_plugin_data: {
            from_server: {
              type: 'confirm_action',
              body: {
                domain: 'api.example.com',
                is_consequential: false,
                actions: [
                  { type: 'allow', allow: { target_message_id: 'call' } },
                  {
                    type: 'always_allow',
                    always_allow: { target_message_id: 'call', operation_hash: 'hash-1' },
                  },
                ],
              },
            },
          },
        },
      },
    ],
  }),
  blocked: () => ({ ends: 'blocked', lines: [say('I started to', { endTurn: false })] }),
  wire: (name) => ({
    lines: [],
    wire: wireStories[name.trim()]?.events ?? [message('a', 'assistant', 'No such story.', { ends: true })],
  }),
  fail: () => ({ ends: 'error', lines: [say('Half an', { endTurn: false })] }),
  failfirst: () => ({ ends: 'error', lines: [] }),
  break: () => ({ ends: 'cut', lines: [say('This is cut of', { endTurn: false })] }),
  tool: () => ({
    lines: [
      { role: 'assistant', recipient: 'python', type: 'code', text: '1/0', finish: 'stop' },
      {
        role: 'tool',
        name: 'python',
        type: 'system_error',
        text: 'Timed out',
        content: { name: 'TimeoutError' },
      },
      say('The tool is busy, sorry.'),
    ],
  }),
};

/** The names of the turns that can be asked for; `/wire NAME` plays one of `wireStories`. */
export const stories: readonly string[] = Object.keys(commands);

/**
 * The script of a turn. The user asks for one by `/code`, `/browse`, `/draw 2` and so on, with
 * `/v1` in front for the newer encoding. As a whole message the slash may be left out, since some
 * chat clients use it for commands of their own.
 */
export function scriptFor(said: string, pictures = 0): Script {
  const newer = /^\/v1\s+/.exec(said);
  const text = newer ? said.slice(newer[0].length) : said;
  const [, name, rest] =
    /^\/([a-z]+)\s*([\s\S]*)$/.exec(text) ?? /^([a-z]+)(?: (\d{1,2}))?$/i.exec(text.trim()) ?? [];
  const command = name?.toLowerCase() ?? '';
  const script = Object.hasOwn(commands, command) ? commands[command]?.(rest ?? '') : undefined;
  const seen = pictures === 0 ? '' : ` I see ${pictures === 1 ? 'a picture' : `${pictures} pictures`}.`;
  const echo = text === '' && seen === '' ? 'Say something.' : `You said: ${text}${seen}`;
  const turn = script ?? { lines: [say(echo)] };
  return newer ? { ...turn, encoding: 'v1' } : turn;
}

/** The second half of what `/long` begins, and what follows a confirmed action. */
export const continued: Script = {
  lines: [say('wer, and this is the second.', { metadata: { message_type: 'continue' } })],
};
export const confirmed: Script = {
  lines: [
    { role: 'tool', name: 'api_example_com__jit_plugin.getWeather', type: 'text', text: '{"degrees":21}' },
    say('It is 21 degrees in Delft.'),
  ],
};
