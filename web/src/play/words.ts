import type { Language } from '../shared/language.ts';

type Texts =
  | 'intro'
  | 'keysTitle'
  | 'key'
  | 'accessKey'
  | 'keyNeeded'
  | 'model'
  | 'message'
  | 'keys'
  | 'pictures'
  | 'remove'
  | 'send'
  | 'stop'
  | 'clear'
  | 'you'
  | 'answer'
  | 'reasoning'
  | 'running'
  | 'request'
  | 'copy'
  | 'retry'
  | 'models'
  | 'cut'
  | 'stopped';

export type Words = Readonly<Record<Texts, string>> & {
  readonly times: (first: string, total: string) => string;
};

export const words: Readonly<Record<Language, Words>> = {
  en: {
    intro: 'Chat through this gateway, to try a model or a key. Nothing is stored: a reload clears the page.',
    keysTitle: 'Keys',
    key: 'Your key for the upstream (if the gateway has none)',
    accessKey: 'Access key of this gateway (if it has one)',
    keyNeeded: 'This gateway needs a key. Enter it above.',
    model: 'Model',
    message: 'Message',
    keys: 'Enter sends, Shift+Enter starts a new line, Esc stops.',
    pictures: 'Pictures',
    remove: 'Remove picture',
    send: 'Send',
    stop: 'Stop',
    clear: 'New conversation',
    you: 'You',
    answer: 'Answer',
    reasoning: 'Reasoning',
    running: 'The answer is being written.',
    request: 'This request as code',
    copy: 'Copy',
    retry: 'Retry',
    models: 'The models could not be listed:',
    cut: 'The answer reached its length limit.',
    stopped: 'Stopped.',
    times: (first, total) => `first chunk ${first}, total ${total}`,
  },
  zh: {
    intro: '通过本网关聊天，用于试用模型或密钥。不保存任何内容，刷新页面即清空。',
    keysTitle: '密钥',
    key: '您的上游密钥（如果网关没有配置）',
    accessKey: '本网关的访问密钥（如果有）',
    keyNeeded: '本网关需要密钥，请在上方输入。',
    model: '模型',
    message: '消息',
    keys: 'Enter 发送，Shift+Enter 换行，Esc 停止。',
    pictures: '图片',
    remove: '移除图片',
    send: '发送',
    stop: '停止',
    clear: '新对话',
    you: '您',
    answer: '回答',
    reasoning: '思考过程',
    running: '正在生成回答。',
    request: '查看请求代码',
    copy: '复制',
    retry: '重试',
    models: '无法列出模型：',
    cut: '回答达到长度上限，已被截断。',
    stopped: '已停止。',
    times: (first, total) => `首块 ${first}，共 ${total}`,
  },
};
