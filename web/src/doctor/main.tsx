import { useState } from 'preact/hooks';
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { explain, icons } from '../../../src/doctor/words.ts';
import { Copy } from '../shared/copy.tsx';
import { keyHeaders, root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { askAsAnotherOrigin } from './other-origin.ts';

const silenceSeconds = 65;

const words = {
  en: {
    intro:
      'Tests the connection from this browser to the gateway, with everything in between. Nothing is spent.',
    keys: 'Keys',
    key: 'Your key for the upstream (if the gateway has none)',
    accessKey: 'Access key of this gateway (if it has one)',
    silence: `Also test ${silenceSeconds} seconds without data. Some proxies close such a connection.`,
    run: 'Run checks',
    running: 'Checking …',
    done: (bad: number, warn: number) =>
      bad + warn === 0 ? 'Done: everything is fine.' : `Done: ${bad} to fix, ${warn} to look at.`,
    fix: 'What to do:',
    report: 'Copy report',
    other: {
      good: 'Web pages of any origin may call.',
      skipped: 'Web pages of other origins may only call if ALLOWED_ORIGINS names them.',
    },
  },
  zh: {
    intro: '测试从本浏览器到网关的连接，包括中间的所有环节。不产生费用。',
    keys: '密钥',
    key: '您的上游密钥（如果网关没有配置）',
    accessKey: '本网关的访问密钥（如果有）',
    silence: `同时测试 ${silenceSeconds} 秒没有数据的连接（有些代理会关闭这样的连接）`,
    run: '开始检查',
    running: '正在检查……',
    done: (bad: number, warn: number) =>
      bad + warn === 0 ? '检查完成：一切正常。' : `检查完成：${bad} 项需要修复，${warn} 项需要留意。`,
    fix: '解决办法：',
    report: '复制报告',
    other: {
      good: '任何来源的网页都可以调用。',
      skipped: '其他来源的网页只有列入 ALLOWED_ORIGINS 才能调用。',
    },
  },
} as const;

type Line = Pick<Finding, 'level'> & { readonly finding: Finding | null };

function DoctorPage({ language }: { language: Language }) {
  const texts = words[language];
  const [key, setKey] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [silence, setSilence] = useState(false);
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [state, setState] = useState<'' | 'running' | 'done'>('');

  const countOf = (level: Finding['level']) => lines.filter((line) => line.level === level).length;
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
    setLines((before) => [...before, { level: open ? 'good' : 'skipped', finding: null }]);
    setState('done');
  };

  const inWords = ({ level, finding }: Line) =>
    finding
      ? explain(finding, language)
      : { text: texts.other[level === 'good' ? 'good' : 'skipped'], fix: null };
  const report = () =>
    lines
      .map((line) => {
        const { text, fix } = inWords(line);
        return `${icons[line.level]} ${text}${fix === null || line.level === 'good' ? '' : `\n    → ${fix}`}`;
      })
      .join('\n');

  return (
    <>
      <p class="soft">{texts.intro}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void look();
        }}
      >
        <details
          open={lines.some(({ finding }) => finding?.code.startsWith('key') && finding.level !== 'good')}
        >
          <summary>{texts.keys}</summary>
          <Secret id="key" label={texts.key} value={key} onValue={setKey} />
          <Secret id="access" label={texts.accessKey} value={accessKey} onValue={setAccessKey} />
        </details>
        <div class="row">
          <button type="submit" class="main" disabled={state === 'running'}>
            {texts.run}
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
              {texts.silence}
            </label>
          </span>
        </div>
      </form>
      <p role="status">
        {state === 'running'
          ? texts.running
          : state === 'done'
            ? texts.done(countOf('bad'), countOf('warn'))
            : ''}
      </p>
      {state === 'done' && <Copy text={report()} label={texts.report} language={language} />}
      <ul class="findings">
        {lines.map((line, i) => {
          const { level } = line;
          const { text, fix } = inWords(line);
          return (
            <li key={i} class="card">
              <b class={level === 'skipped' ? 'soft' : level}>
                {icons[level]} {text}
              </b>
              {fix !== null && level !== 'good' && (
                <span>
                  {texts.fix} {fix}
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
