import type { Call } from '../call.ts';
import { linkStem } from '../http/public-url.ts';
import type { UpstreamHealth, UpstreamState } from '../relay/health.ts';
import { pageHeaders } from './page-headers.ts';
import { startStyle } from './start-style.ts';

type StartParts = {
  readonly settings: {
    readonly publicUrl?: string | undefined;
    readonly apiPrefix: string;
    readonly upstreams: Readonly<Record<string, unknown>>;
  };
  readonly upstreamHealth: UpstreamHealth;
  isDraining(): boolean;
};

/**
 * `GET /`: the base URL to copy, the state of the upstreams, and links. It has no script and loads
 * nothing.
 */
export function createStartPage({
  settings,
  upstreamHealth,
  isDraining,
}: StartParts): (call: Call) => Response {
  return (call) => {
    const { head } = call.incoming;
    const chinese = /^zh\b/i.test(head.get('accept-language') ?? '');
    const stem = linkStem(call.incoming, settings.publicUrl);
    // A prefix is part of the secret address. Only a caller that used it sees it.
    const known = settings.apiPrefix === '' || head.target.startsWith(`/${settings.apiPrefix}`);
    const base = known ? `${stem}${settings.apiPrefix ? `/${settings.apiPrefix}` : ''}/v1` : null;
    // The other pages are beside this one. Below a prefix without a slash at its end, that is one
    // step further.
    const here = head.target.split('?', 1)[0]?.endsWith('/') ? '.' : `./${settings.apiPrefix}`;
    const isEmulator = Object.keys(settings.upstreams).length === 0;
    const shown = { base, here, upstreams: upstreamHealth.view(), draining: isDraining(), isEmulator };
    const html = render(chinese ? zh : en, chinese ? 'zh-CN' : 'en', shown);
    return new Response(head.method === 'HEAD' ? null : html, { headers: pageHeaders });
  };
}

type Words = Readonly<{
  tagline: string;
  base: string;
  hidden: string;
  upstreams: string;
  states: Readonly<Record<UpstreamState['state'], string>>;
  draining: string;
  emulator: string;
  tryIt: string;
  models: string;
  health: string;
  pages: string;
  balance: string;
  play: string;
  doctor: string;
}>;

const en: Words = {
  tagline: 'A gateway for programs that use the OpenAI API.',
  base: 'Base URL for your client',
  hidden: 'The address with the API prefix that you got from the owner, then /v1.',
  upstreams: 'Upstreams',
  states: {
    unknown: 'not used yet',
    ok: 'working',
    failing: 'failing',
    cooling: 'cooling down after failures',
  },
  draining: 'This gateway is shutting down.',
  emulator:
    'No upstream is set, so the built-in emulator answers. Set OPENAI_API_KEY or OPENAI_BASE_URL to use a real one.',
  tryIt: 'Try it',
  models: 'Models',
  health: 'Health',
  pages: 'Pages',
  balance: 'Balances',
  play: 'Playground',
  doctor: 'Doctor',
};

const zh: Words = {
  tagline: '面向 OpenAI API 客户端的网关。',
  base: '客户端的 Base URL',
  hidden: '使用网关所有者给您的 API 前缀，后面加 /v1。',
  upstreams: '上游',
  states: { unknown: '尚未使用', ok: '正常', failing: '出错', cooling: '连续出错，暂停使用' },
  draining: '此网关正在关闭。',
  emulator: '没有设置上游，由内置模拟器应答。要使用真正的上游，请设置 OPENAI_API_KEY 或 OPENAI_BASE_URL。',
  tryIt: '试一试',
  models: '模型列表',
  health: '健康状态',
  pages: '页面',
  balance: '密钥余额',
  play: '试用',
  doctor: '诊断',
};

type Shown = {
  readonly base: string | null;
  readonly here: string;
  readonly upstreams: readonly UpstreamState[];
  readonly draining: boolean;
  readonly isEmulator: boolean;
};

function render(words: Words, lang: string, { base, here, upstreams, draining, isEmulator }: Shown): string {
  const rows = upstreams
    .map(
      ({ name, state }) =>
        `<li class="${state}"><b>${escapeHtml(name)}</b> <span>${words.states[state]}</span></li>`,
    )
    .join('');
  const address =
    base === null ? `<p>${words.hidden}</p>` : `<p><code class="base">${escapeHtml(base)}</code></p>`;
  const curl =
    base === null
      ? ''
      : `<h2>${words.tryIt}</h2><pre><code>curl -N ${escapeHtml(base)}/chat/completions \\
  -H 'Content-Type: application/json' -H 'Authorization: Bearer YOUR_KEY' \\
  -d '{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}'</code></pre>
<p class="links"><a href="${escapeHtml(base)}/models">${words.models}</a> · <a href="/health">${words.health}</a></p>`;
  const pages =
    base === null
      ? ''
      : `<h2>${words.pages}</h2>
<p><a href="${here}/play">${words.play}</a> · <a href="${here}/balance">${words.balance}</a> · <a href="${here}/doctor">${words.doctor}</a></p>`;
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>sluice</title>
<style>${startStyle}</style>
</head>
<body>
<main>
<h1>sluice</h1>
<p class="tagline">${words.tagline}</p>
${draining ? `<p class="failing" role="status">${words.draining}</p>` : ''}
${isEmulator ? `<p class="notice">${words.emulator}</p>` : ''}
<h2>${words.base}</h2>
${address}
${pages}
<h2>${words.upstreams}</h2>
<ul>${rows}</ul>
${curl}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
