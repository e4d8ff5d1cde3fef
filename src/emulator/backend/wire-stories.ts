import { toolStories } from './wire-stories-of-tools.ts';
import { cite, message, reference, type WireStory } from './wire-story.ts';

const page = (host: string) => ({ title: `About ${host}`, url: `https://${host}/page`, attribution: host });

/**
 * What upstreams do with the text of an answer, one story each: snapshots of messages as they come.
 */
const textStories: Readonly<Record<string, WireStory>> = {
  changed: {
    wire: 'text that was sent is changed in a later snapshot',
    gets: 'the last version; in a stream a notice and the corrected text',
    since: 2023,
    events: [
      message('a', 'assistant', 'The answer is 41'),
      message('a', 'assistant', 'The answer is 42', { ends: true }),
    ],
  },
  truncated: {
    wire: 'text is cut back (`truncate`) and goes on differently',
    gets: 'the last version; in a stream a notice and the corrected text',
    since: 2025,
    events: [
      message('a', 'assistant', 'Take the left'),
      message('a', 'assistant', 'Take the '),
      message('a', 'assistant', 'Take the right'),
      message('a', 'assistant', 'Take the right door.', { ends: true }),
    ],
  },
  fence: {
    wire: 'text is changed inside a code fence that is open',
    gets: 'the fence is closed before the notice',
    since: 2023,
    events: [
      message('a', 'assistant', 'So:\n```js\nlet a = 1'),
      message('a', 'assistant', 'So:\n```js\nlet b = 1\n```', { ends: true }),
    ],
  },
  hidden: {
    wire: 'a reference that is `hidden` first and filled while the text goes on',
    gets: 'the upstream’s own link',
    since: 2025,
    events: [
      message('a', 'assistant', `Sky ${cite('turn0search0')}`, {
        references: [reference('turn0search0', { type: 'hidden' })],
      }),
      message('a', 'assistant', `Sky ${cite('turn0search0')} is`, {
        references: [
          reference('turn0search0', {
            type: 'grouped_webpages',
            alt: '([a](https://a.example/page?utm_source=chatgpt.com))',
            items: [page('a.example')],
          }),
        ],
      }),
      message('a', 'assistant', `Sky ${cite('turn0search0')} is blue.`, {
        ends: true,
        references: [
          reference('turn0search0', {
            type: 'grouped_webpages',
            alt: '([a](https://a.example/page?utm_source=chatgpt.com))',
            items: [page('a.example')],
          }),
        ],
      }),
    ],
  },
  late: {
    wire: 'a reference that is filled after the message is finished',
    gets: 'the link',
    since: 2025,
    events: [
      message('a', 'assistant', `Blue${cite('turn0search0')}.`, { ends: true }),
      message('a', 'assistant', `Blue${cite('turn0search0')}.`, {
        ends: true,
        references: [reference('turn0search0', { type: 'grouped_webpages', items: [page('a.example')] })],
      }),
    ],
  },
  never: {
    wire: 'a marker whose reference never comes',
    gets: 'the text without it, after 256 characters at most, and without its blank',
    since: 2025,
    events: [
      message('a', 'assistant', `Sky ${cite('turn0search0')}. `),
      message('a', 'assistant', `Sky ${cite('turn0search0')}. ${'More. '.repeat(60)}`),
      message('a', 'assistant', `Sky ${cite('turn0search0')}. ${'More. '.repeat(60)}End.`, { ends: true }),
    ],
  },
  shapes: {
    wire: 'references with `fallback_items`, an address of their own, one `item`, `safe_urls`, supporting websites',
    gets: 'links from each',
    since: 2025,
    events: [
      message('a', 'assistant', `A${cite('a')} B${cite('b')} C${cite('c')} D${cite('d')} E${cite('e')}`, {
        ends: true,
        references: [
          reference('a', { type: 'grouped_webpages', items: [], fallback_items: [page('a.example')] }),
          reference('b', { type: 'webpage', ...page('b.example') }),
          reference('c', { type: 'url', item: page('c.example') }),
          reference('d', { type: 'grouped_webpages', safe_urls: ['https://d.example/page'] }),
          reference('e', {
            type: 'grouped_webpages',
            items: [{ ...page('e.example'), supporting_websites: [page('f.example')] }],
          }),
        ],
      }),
    ],
  },
  results: {
    wire: 'a marker that only the search results of the tool explain (`ref_id`)',
    gets: 'the link',
    since: 2025,
    events: [
      message('t', 'tool', '', {
        name: 'web.run',
        status: 'finished_successfully',
        metadata: {
          search_result_groups: [
            {
              entries: [
                { ...page('a.example'), ref_id: { turn_index: 0, ref_type: 'search', ref_index: 1 } },
              ],
            },
          ],
        },
      }),
      message('a', 'assistant', `Blue${cite('turn0search1')}.`, { ends: true }),
    ],
  },
  footnote: {
    wire: '`sources_footnote` with a list of sources',
    gets: 'annotations at the end of the text',
    since: 2025,
    events: [
      message('a', 'assistant', 'Blue.', {
        ends: true,
        references: [{ matched_text: ' ', type: 'sources_footnote', sources: [page('a.example')] }],
      }),
    ],
  },
  pictures: {
    wire: '`image_v2`, `video`, `nav_list` and `product_entity` markers',
    gets: 'links; a product its name',
    since: 2026,
    events: [
      message(
        'a',
        'assistant',
        `See ${cite('i', 'i')} and ${cite('v', 'video')} or ${cite('n', 'navlist')}. The ${cite('["turn0product1","Lamp X"]', 'product_entity')} is good.`,
        {
          ends: true,
          references: [
            reference(
              'i',
              { type: 'image_v2', images: [{ title: 'Gate', url: 'https://a.example/gate' }] },
              'i',
            ),
            reference('v', { type: 'video', title: 'Film', url: 'https://v.example/1' }, 'video'),
            reference('n', { type: 'nav_list', title: 'News', items: [page('n.example')] }, 'navlist'),
          ],
        },
      ),
    ],
  },
  writing: {
    wire: 'a block of writing, `:::writing{variant="email" subject="Hi"}` … `:::`',
    gets: 'its text, the subject as a heading',
    since: 2026,
    events: [
      message('a', 'assistant', 'Here:\n\n:::writing{variant="email" id="12345" subject="Hi"}\nDear Bob'),
      message(
        'a',
        'assistant',
        'Here:\n\n:::writing{variant="email" id="12345" subject="Hi"}\nDear Bob\n:::\n\nBye?',
        { ends: true },
      ),
    ],
  },
  tracking: {
    wire: '`utm_source=chatgpt.com` in links',
    gets: 'links without it',
    since: 2026,
    events: [
      message(
        'a',
        'assistant',
        '[a](https://a.example/?utm_source=chatgpt.com) and https://b.example/?x=1&utm_source=chatgpt.com.',
        {
          ends: true,
        },
      ),
    ],
  },
};

/** Everything that was seen on the wire, by a name for each. */
export const wireStories: Readonly<Record<string, WireStory>> = { ...textStories, ...toolStories };
