import type { Code } from './finding.ts';
import type { Sentence } from './words-en.ts';

export const chinese: Readonly<Record<Code, Sentence>> = {
  reached: ({ base }) => [`${base} 可以访问。`],
  unreachable: ({ base, why }) => [
    `无法连接 ${base}（${why}）。`,
    '请检查网关是否在运行、地址和端口是否正确。要让其他机器访问，请设置 HOST=0.0.0.0。',
  ],
  notTheApi: ({ base, status }) => [
    `${base} 有响应，但不是 JSON（状态码 ${status}）。`,
    '响应的可能是其他网站、登录页或代理。地址应指向网关，并以 /v1 结尾。',
  ],
  notFound: ({ why }) => [`路径不存在。${why}`, '如果设置了 API_PREFIX，地址应为 https://主机/前缀/v1。'],
  keyAccepted: () => ['密钥有效。'],
  keyNotNeeded: () => ['不需要密钥。'],
  keyMissing: () => ['网关需要密钥，其余测试已跳过。', '请填写密钥后重新测试。在终端中：--key 您的密钥。'],
  keyRefused: ({ why }) => [
    `密钥被拒绝。${why}`,
    '如果网关设置了 ACCESS_KEYS，请使用其中的访问密钥；否则使用上游的密钥。',
  ],
  originMissing: () => [
    '网关只接受 ALLOWED_ORIGINS 中的网页访问，其余测试已跳过。',
    '请针对您的网页重新测试：--origin https://您的网页。',
  ],
  originRefused: ({ why }) => [`请求被拒绝。${why}`, '请把该来源加入 ALLOWED_ORIGINS，或使用 ACCESS_KEYS。'],
  serverError: ({ status, why }) => [
    `网关返回状态码 ${status}。${why}`,
    '原因见网关日志。sluice check 可以测试上游和存储。',
  ],
  models: ({ count }) => [`共列出 ${count} 个模型。`],
  noModels: () => ['没有列出模型。', '上游没有为此密钥列出模型，请在客户端手动填写模型名称。'],
  preflight: ({ origin }) => [`${origin} 的网页可以调用。`],
  preflightRefused: ({ origin }) => [
    `${origin} 的网页不能调用：浏览器的预检请求被拒绝。`,
    `请设置 ALLOWED_ORIGINS=${origin}。前面的代理必须转发 OPTIONS 请求。`,
  ],
  preflightBare: ({ origin }) => [
    `${origin} 的网页可以调用，但不能发送密钥。`,
    '前面的代理自行响应了 OPTIONS 请求，请改为转发。',
  ],
  plainHttp: ({ host }) => [
    `密钥以明文发送到 ${host}，通过 https 打开的网页也无法调用它。`,
    '请在网关前配置 TLS：docs/deploy.md 中有 nginx 和 Caddy 的示例。',
  ],
  mixedContent: ({ base }) => [
    `本页通过 https 打开，而 ${base} 是 http，浏览器会拦截请求。`,
    '请在网关前配置 TLS，或通过 http 打开本页。',
  ],
  encrypted: () => ['连接已加密。'],
  streams: ({ count, gap }) => [`流式响应逐块到达：共 ${count} 块，间隔 ${gap} 毫秒。`],
  streamCut: ({ seconds, hop, fix }) => [
    `流式响应在 ${seconds} 秒内没有任何数据，随后被切断${by(hop)}。`,
    `代理缓冲了流式响应并超时。${fix}`,
  ],
  buffered: ({ hop, fix }) => [`流式响应在途中被缓冲${by(hop)}，回答会一次性到达。`, fix ?? ''],
  compressed: ({ encoding }) => [
    `流式响应在途中被压缩（${encoding}），可能造成延迟。`,
    '请在代理中关闭对 text/event-stream 的压缩。',
  ],
  cannotMeasure: ({ status }) => [
    `无法测试流式响应（状态码 ${status}）。`,
    '该地址的 /doctor/stream 路径没有到达网关。前面的代理必须转发所有路径。',
  ],
  silenceKept: ({ seconds }) => [`连接在 ${seconds} 秒没有数据的情况下保持畅通。`],
  silenceCut: ({ seconds, hop }) => [
    `没有数据的连接在约 ${seconds} 秒后被切断${by(hop)}。`,
    '请调大代理的读取超时（nginx：proxy_read_timeout 600s;），并让 KEEPALIVE_SECONDS 明显小于它。',
  ],
  links: ({ stem }) => [`图片和文件的链接以 ${stem} 开头。`],
  linksElsewhere: ({ stem, here }) => [
    `图片和文件的链接以 ${stem} 开头，而您访问网关的地址是 ${here}。`,
    `请设置 PUBLIC_URL=${here}，或让前面的代理发送 X-Forwarded-Host 和 X-Forwarded-Proto。`,
  ],
};

function by(hop: string | undefined): string {
  return hop === undefined || hop === '?' ? '' : `（从响应头看，是 ${hop}）`;
}
