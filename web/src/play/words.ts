import type { Language } from '../shared/language.ts';

export type Words = Readonly<
  Record<
    | 'intro'
    | 'key'
    | 'accessKey'
    | 'model'
    | 'message'
    | 'pictures'
    | 'remove'
    | 'send'
    | 'stop'
    | 'clear'
    | 'you'
    | 'answer'
    | 'request'
    | 'copy'
    | 'models'
    | 'stopped',
    string
  >
>;

export const words: Readonly<Record<Language, Words>> = {
  en: {
    intro: 'Try the gateway as a chat client would. Keys stay in this page.',
    key: 'Your key for the upstream, if the gateway has none',
    accessKey: 'Access key of this gateway, if it asks for one',
    model: 'Model',
    message: 'Message',
    pictures: 'Pictures',
    remove: 'Remove picture',
    send: 'Send',
    stop: 'Stop',
    clear: 'New conversation',
    you: 'You',
    answer: 'Answer',
    request: 'This request elsewhere',
    copy: 'Copy',
    models: 'The model list could not be read:',
    stopped: 'Stopped.',
  },
  zh: {
    intro: '像聊天客户端一样试用本网关。密钥只留在本页。',
    key: '您的上游密钥（如网关未配置）',
    accessKey: '本网关的访问密钥（如有要求）',
    model: '模型',
    message: '消息',
    pictures: '图片',
    remove: '移除图片',
    send: '发送',
    stop: '停止',
    clear: '新对话',
    you: '您',
    answer: '回答',
    request: '在别处发出同样的请求',
    copy: '复制',
    models: '无法读取模型列表：',
    stopped: '已停止。',
  },
};
