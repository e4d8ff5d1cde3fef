import { useState } from 'preact/hooks';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { explain, icons } from '../../../src/doctor/words.ts';
import { keyHeaders, root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { askAsAnotherOrigin } from './other-origin.ts';

const silenceSeconds = 65;

const words = {
  en: {
    intro: 'Looks at this gateway from your browser: everything between you and it is looked at with it.',
    key: 'Your key for the upstream, if the gateway has none',
    accessKey: 'Access key of this gateway, if it asks for one',
    silence: `Also try ${silenceSeconds} seconds of silence, which is how long some proxies wait`,
    run: 'Look',
    running: 'Looking …',
    done: 'Done.',
    fix: 'Change:',
    other: {
      good: 'Pages of any origin may call.',
      bad: 'Pages of other origins may not call, unless ALLOWED_ORIGINS names them.',
    },
  },
  zh: {
    intro: '从您的浏览器检查本网关：两者之间的一切都会一并检查。',
    key: '您的上游密钥（如网关未配置）',
    accessKey: '本网关的访问密钥（如有要求）',
    silence: `同时测试静默 ${silenceSeconds} 秒（有些代理会在此时切断）`,
    run: '检查',
    running: '检查中……',
    done: '完成。',
    fix: '修改：',
    other: { good: '任何来源的网页都可以调用。', bad: '其他来源的网页不能调用，除非列入 ALLOWED_ORIGINS。' },
  },
} as const;

type Line = Pick<Finding, 'level'> & { readonly finding: Finding | null };

function DoctorPage({ language }: { language: Language }) {
  const said = words[language];
  const [key, setKey] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [silence, setSilence] = useState(false);
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [state, setState] = useState<'' | 'running' | 'done'>('');

  const look = async () => {
    setLines([]);
    setState('running');
    const headers = keyHeaders(key.trim(), accessKey.trim());
    const findings = diagnose({
      base: `${root}/v1`,
      headers,
      origin: null,
      pageIsSecure: location.protocol === 'https:',
      silenceSeconds: silence ? silenceSeconds : 0,
      fetch: (url, init) => fetch(url, { ...init, cache: 'no-store' }),
    });
    for await (const finding of findings)
      setLines((before) => [...before, { level: finding.level, finding }]);
    const open = await askAsAnotherOrigin(`${root}/v1/models`, headers);
    setLines((before) => [...before, { level: open ? 'good' : 'warn', finding: null }]);
    setState('done');
  };

  return (
    <>
      <p class="soft">{said.intro}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <Secret id="key" label={said.key} value={key} onValue={setKey} />
        <Secret id="access" label={said.accessKey} value={accessKey} onValue={setAccessKey} />
        <div class="row">
          <button type="submit" class="main" disabled={state === 'running'}>
            {said.run}
          </button>
          <span>
            <input
              id="silence"
              type="checkbox"
              class="box"
              checked={silence}
              onChange={(e) => setSilence(e.currentTarget.checked)}
            />{' '}
            <label for="silence" class="inline">
              {said.silence}
            </label>
          </span>
        </div>
      </form>
      <p role="status">{state === 'running' ? said.running : state === 'done' ? said.done : ''}</p>
      <ul class="findings">
        {lines.map(({ level, finding }, i) => {
          const { text, fix } = finding
            ? explain(finding, language)
            : { text: said.other[level === 'good' ? 'good' : 'bad'], fix: null };
          return (
            <li key={i} class="card">
              <b class={level === 'skipped' ? 'soft' : level}>
                {icons[level]} {text}
              </b>
              {fix !== null && level !== 'good' && (
                <span>
                  {said.fix} <code>{fix}</code>
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

show('doctor', DoctorPage);
