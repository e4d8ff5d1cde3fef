import type { Code, Finding } from './finding.ts';

/** The mark before a finding. */
export const icons = { good: '✓', warn: '!', bad: '✗', skipped: '–' } as const;

/** What a finding says to a person, and what to change; `fix` is null where nothing is wrong. */
export type Told = { readonly text: string; readonly fix: string | null };

type Say = (facts: Finding['facts']) => readonly [text: string, fix?: string];

const en: Readonly<Record<Code, Say>> = {
  reached: ({ base }) => [`${base} answers.`],
  unreachable: ({ base, why }) => [
    `${base} cannot be reached (${why}).`,
    'Is the gateway running, is the address right, and does it listen there? HOST=0.0.0.0 opens it to other machines.',
  ],
  notTheApi: ({ base, status }) => [
    `Something answers at ${base}, but not with JSON (status ${status}).`,
    'A login page, another site or a proxy stands there. The address must end in /v1 and lead to the gateway.',
  ],
  notFound: ({ why }) => [
    `The path is not found. ${why}`,
    'Where API_PREFIX is set, the address is https://HOST/PREFIX/v1.',
  ],
  keyTaken: () => ['The key is taken.'],
  keyRefused: ({ why }) => [
    `The key is refused. ${why}`,
    'Send an access key of the gateway where ACCESS_KEYS is set, else a key of the upstream.',
  ],
  originRefused: ({ why }) => [`The request is refused. ${why}`, 'Add the origin to ALLOWED_ORIGINS.'],
  serverError: ({ status, why }) => [
    `The gateway answers with status ${status}. ${why}`,
    'Its log says more; sluice check explains its settings.',
  ],
  models: ({ count }) => [`${count} models are listed.`],
  noModels: () => [
    'No model is listed.',
    'The upstream lists none to this key. Name one in the client by hand.',
  ],
  preflight: ({ origin }) => [`Pages of ${origin} may call.`],
  preflightRefused: ({ origin }) => [
    `Pages of ${origin} may not call: the browser’s preflight is refused.`,
    `ALLOWED_ORIGINS=${origin}; and let OPTIONS requests through a proxy in front.`,
  ],
  preflightBare: ({ origin }) => [
    `Pages of ${origin} may call, but not send a key.`,
    'A proxy in front answers OPTIONS itself. Let it pass such requests on.',
  ],
  plainHttp: ({ host }) => [
    `Keys go to ${host} unencrypted, and pages that came by https cannot call it.`,
    'Put TLS in front: docs/deploy.md has the lines for nginx and Caddy.',
  ],
  mixedContent: ({ base }) => [
    `This page came by https, and ${base} is http: the browser blocks such calls.`,
    'Put TLS in front of the gateway, or open the page by http.',
  ],
  encrypted: () => ['The connection is encrypted.'],
  streams: ({ count, gap }) => [`Streams arrive as they are sent: ${count} pieces, ${gap} ms apart.`],
  buffered: ({ hop, fix }) => [
    `Streams are collected on their way${hop === '?' ? '' : ` (by ${hop}, as its headers say)`}: answers come all at once.`,
    fix ?? '',
  ],
  compressed: ({ encoding }) => [
    `Streams are compressed on their way (${encoding}), which can hold pieces back.`,
    'Leave text/event-stream out of what the proxy compresses.',
  ],
  cannotMeasure: ({ status }) => [
    `Streaming cannot be measured here (status ${status}).`,
    'The path /doctor/stream must reach the gateway, with a key that it takes.',
  ],
  silenceKept: ({ seconds }) => [`A stream survives ${seconds} seconds of silence.`],
  silenceCut: ({ seconds, hop }) => [
    `A silent stream is cut after about ${seconds} seconds${hop === '?' ? '' : `, by ${hop} perhaps`}.`,
    'nginx: proxy_read_timeout 600s; and keep KEEPALIVE_SECONDS well below the cut.',
  ],
  links: ({ stem }) => [`Links to pictures and files begin with ${stem}.`],
  linksElsewhere: ({ stem, here }) => [
    `Links to pictures and files begin with ${stem}, but you reach the gateway at ${here}.`,
    `PUBLIC_URL=${here}, or let the proxy in front send X-Forwarded-Host and X-Forwarded-Proto.`,
  ],
};

const zh: Readonly<Record<Code, Say>> = {
  reached: ({ base }) => [`${base} 有应答。`],
  unreachable: ({ base, why }) => [
    `无法连接 ${base}（${why}）。`,
    '网关是否在运行？地址是否正确？要让其他机器访问，请设 HOST=0.0.0.0。',
  ],
  notTheApi: ({ base, status }) => [
    `${base} 有应答，但不是 JSON（状态 ${status}）。`,
    '那里可能是登录页、别的网站或代理。地址须以 /v1 结尾并通向网关。',
  ],
  notFound: ({ why }) => [`路径不存在。${why}`, '设置了 API_PREFIX 时，地址为 https://主机/前缀/v1。'],
  keyTaken: () => ['密钥有效。'],
  keyRefused: ({ why }) => [
    `密钥被拒绝。${why}`,
    '若设置了 ACCESS_KEYS，请用网关的访问密钥，否则用上游的密钥。',
  ],
  originRefused: ({ why }) => [`请求被拒绝。${why}`, '请把该来源加入 ALLOWED_ORIGINS。'],
  serverError: ({ status, why }) => [
    `网关返回状态 ${status}。${why}`,
    '详情见其日志；sluice check 可解释其设置。',
  ],
  models: ({ count }) => [`列出了 ${count} 个模型。`],
  noModels: () => ['没有列出模型。', '上游未向此密钥列出模型，请在客户端手动填写。'],
  preflight: ({ origin }) => [`${origin} 的网页可以调用。`],
  preflightRefused: ({ origin }) => [
    `${origin} 的网页不能调用：浏览器的预检被拒绝。`,
    `ALLOWED_ORIGINS=${origin}；并让前面的代理放行 OPTIONS 请求。`,
  ],
  preflightBare: ({ origin }) => [
    `${origin} 的网页可以调用，但不能带密钥。`,
    '前面的代理自行应答了 OPTIONS，请让它转发。',
  ],
  plainHttp: ({ host }) => [
    `密钥以明文发往 ${host}，https 网页也无法调用它。`,
    '请在前面加 TLS：nginx 与 Caddy 的写法见 docs/deploy.md。',
  ],
  mixedContent: ({ base }) => [
    `本页为 https，而 ${base} 为 http：浏览器会拦截。`,
    '请为网关加 TLS，或以 http 打开本页。',
  ],
  encrypted: () => ['连接已加密。'],
  streams: ({ count, gap }) => [`流式输出逐段到达：${count} 段，每隔 ${gap} 毫秒。`],
  buffered: ({ hop, fix }) => [
    `流式输出在途中被攒住${hop === '?' ? '' : `（从响应头看是 ${hop}）`}：回答会一次性到达。`,
    fix ?? '',
  ],
  compressed: ({ encoding }) => [
    `流式输出在途中被压缩（${encoding}），可能造成停顿。`,
    '请让代理不压缩 text/event-stream。',
  ],
  cannotMeasure: ({ status }) => [
    `此处无法测量流式输出（状态 ${status}）。`,
    '路径 /doctor/stream 须能到达网关，并带有效密钥。',
  ],
  silenceKept: ({ seconds }) => [`静默 ${seconds} 秒，流未被切断。`],
  silenceCut: ({ seconds, hop }) => [
    `静默约 ${seconds} 秒后流被切断${hop === '?' ? '' : `，可能是 ${hop}`}。`,
    'nginx：proxy_read_timeout 600s；并使 KEEPALIVE_SECONDS 远小于切断时间。',
  ],
  links: ({ stem }) => [`图片与文件的链接以 ${stem} 开头。`],
  linksElsewhere: ({ stem, here }) => [
    `图片与文件的链接以 ${stem} 开头，而您访问网关的地址是 ${here}。`,
    `PUBLIC_URL=${here}，或让前面的代理发送 X-Forwarded-Host 与 X-Forwarded-Proto。`,
  ],
};

/** A finding in words. */
export function explain({ code, facts }: Finding, language: 'en' | 'zh'): Told {
  const [text, fix] = (language === 'zh' ? zh : en)[code](facts);
  return { text: text.trim(), fix: fix || null };
}
