import { useState } from 'preact/hooks';
import { Copy } from '../shared/copy.tsx';
import { root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { snippets } from './snippets.ts';
import type { Words } from './words.ts';

/**
 * The last message as a request of another program. Long pictures are shortened on the screen, not
 * in the copy.
 */
export function RequestElsewhere(props: { body: object; words: Words; language: Language }) {
  const [form, setForm] = useState('curl');
  const text = snippets[form]?.(`${root}/v1`, props.body) ?? '';
  return (
    <details>
      <summary>{props.words.request}</summary>
      <div class="row">
        {Object.keys(snippets).map((name) => (
          <button key={name} type="button" aria-pressed={name === form} onClick={() => setForm(name)}>
            {name}
          </button>
        ))}
        <Copy text={text} label={props.words.copy} language={props.language} />
      </div>
      <pre>
        <code>{text.replace(/(data:[\w/]+;base64,.{20})[\w+/=]+/g, '$1…')}</code>
      </pre>
    </details>
  );
}
