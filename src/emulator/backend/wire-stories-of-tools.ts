import { cite, message, type WireStory } from './wire-story.ts';

const call = (id: string, recipient: string, text: string, more: object = {}) =>
  message(id, 'assistant', text, {
    recipient,
    content_type: 'code',
    status: 'finished_successfully',
    ...more,
  });

/** What upstreams send besides the text of an answer, one story each. */
export const toolStories: Readonly<Record<string, WireStory>> = {
  thoughts: {
    wire: 'markers in thoughts',
    gets: 'reasoning without them',
    since: 2026,
    events: [
      message('r', 'assistant', '', {
        content: {
          content_type: 'thoughts',
          thoughts: [{ summary: 'Sources', content: `It says so ${cite('turn0search0')}.` }],
        },
        status: 'finished_successfully',
      }),
      message('a', 'assistant', 'Yes.', { ends: true }),
    ],
  },
  private: {
    wire: 'code and output on the channel `analysis`',
    gets: 'reasoning, not the answer',
    since: 2025,
    events: [
      call('c', 'python', 'print(1)', { channel: 'analysis' }),
      message('o', 'tool', '1\n', {
        name: 'python',
        content_type: 'execution_output',
        status: 'finished_successfully',
      }),
      message('a', 'assistant', 'One.', { ends: true, channel: 'final' }),
    ],
  },
  files: {
    wire: 'a search by the full name of its tool (`file_search.msearch`)',
    gets: 'a step, as for the short name',
    since: 2024,
    events: [
      call('c', 'file_search.msearch', '{"queries":["alpha","beta"]}'),
      message('a', 'assistant', 'Found.', { ends: true }),
    ],
  },
  connector: {
    wire: 'calls of other tools (`api_tool.*`, `gmail`, names that say nothing)',
    gets: 'nothing of the call',
    since: 2025,
    events: [
      call('c', 'api_tool.call_tool', '{"path":"/gmail/search","args":"{}"}'),
      message('o', 'tool', '{"result":"ok"}', {
        name: 'api_tool.call_tool',
        status: 'finished_successfully',
      }),
      message('a', 'assistant', 'No mail.', { ends: true }),
    ],
  },
  shell: {
    wire: '`container.exec` with its command as JSON, its output as text',
    gets: 'the command in a block, the output in another',
    since: 2025,
    events: [
      call('c', 'container.exec', '{"cmd":["bash","-lc","ls -l"]}'),
      message('o', 'tool', 'a.txt', { name: 'container.exec', status: 'finished_successfully' }),
      message('a', 'assistant', 'One file.', { ends: true }),
    ],
  },
  result: {
    wire: 'output that stands in `aggregate_result` alone',
    gets: 'the output',
    since: 2023,
    events: [
      call('c', 'python', '1/0'),
      message('o', 'tool', '', {
        name: 'python',
        content_type: 'execution_output',
        status: 'finished_successfully',
        metadata: {
          aggregate_result: {
            messages: [{ message_type: 'stream', text: 'start\n' }],
            in_kernel_exception: { name: 'ZeroDivisionError' },
          },
        },
      }),
      message('a', 'assistant', 'It fails.', { ends: true }),
    ],
  },
  attached: {
    wire: 'files that a tool attaches to its message',
    gets: 'links to them',
    since: 2026,
    events: [
      message('o', 'tool', 'done', {
        name: 'maker.run',
        status: 'finished_successfully',
        metadata: { attachments: [{ id: 'file_123', name: 'report.pdf', mime_type: 'application/pdf' }] },
      }),
      message('a', 'assistant', 'Your report.', { ends: true }),
    ],
  },
  declined: {
    wire: 'a tool that draws answers in words',
    gets: 'the words, at once',
    since: 2025,
    events: [
      call('c', 't2uay3k.sj1i4kz', '{"prompt":"x"}'),
      message('o', 'tool', 'I cannot draw that.', { name: 't2uay3k.sj1i4kz', ends: true }),
    ],
  },
  clarify: {
    wire: 'research that asks back (`research_kickoff_tool.clarify_with_text`)',
    gets: 'the question',
    since: 2025,
    events: [
      call('c', 'research_kickoff_tool.clarify_with_text', '{"task":"x"}'),
      message('o', 'tool', 'Which years?', { name: 'research_kickoff_tool.clarify_with_text', ends: true }),
    ],
  },
  variants: {
    wire: 'two answers at once, to be compared',
    gets: 'the first',
    since: 2024,
    events: [
      { type: 'num_variants_in_stream', num_variants_in_stream: 2 },
      message('a', 'assistant', 'A1', { metadata: { parent_id: 'u' } }),
      message('b', 'assistant', 'B1', { metadata: { parent_id: 'u' } }),
      message('a', 'assistant', 'A1 A2', { metadata: { parent_id: 'u' }, ends: true }),
      message('b', 'assistant', 'B1 B2', { metadata: { parent_id: 'u' }, ends: true }),
    ],
  },
  order: {
    wire: 'text, picture, text in one message',
    gets: 'the same order',
    since: 2025,
    events: [
      message('a', 'assistant', '', {
        content: {
          content_type: 'multimodal_text',
          parts: [
            'Before',
            { content_type: 'image_asset_pointer', asset_pointer: 'file-service://file-1' },
            'After',
          ],
        },
        ends: true,
      }),
    ],
  },
  voice: {
    wire: 'words of a voice answer (`audio_transcription`)',
    gets: 'the words',
    since: 2024,
    events: [
      message('a', 'assistant', '', {
        content: {
          content_type: 'multimodal_text',
          parts: [{ content_type: 'audio_transcription', text: 'Good morning.', direction: 'out' }],
        },
        ends: true,
      }),
    ],
  },
  oauth: {
    wire: 'a GPT’s action that needs a sign-in (`oauth_required`)',
    gets: 'a notice that names the site',
    since: 2023,
    events: [
      message('o', 'tool', '', {
        name: 'api_example_com__jit_plugin.get',
        status: 'finished_successfully',
        metadata: {
          jit_plugin_data: { from_server: { type: 'oauth_required', body: { domain: 'api.example.com' } } },
        },
      }),
    ],
  },
  pattern: {
    wire: 'a canvas update by a regular expression, comments, a document of code',
    gets: 'the changed document in a fence, the comments as a list',
    since: 2024,
    events: [
      call(
        'c',
        'canmore.create_textdoc',
        '{"name":"x.py","type":"code/python","content":"a = 1\\nb = 2\\n"}',
      ),
      call(
        'd',
        'canmore.update_textdoc',
        '{"updates":[{"pattern":"a = .*","multiple":false,"replacement":"a = 3"}]}',
      ),
      call('e', 'canmore.comment_textdoc', '{"comments":[{"pattern":"b","comment":"Why b?"}]}'),
      message('a', 'assistant', 'Done.', { ends: true }),
    ],
  },
};
