import type { Language } from '../shared/language.ts';
import type { Balance } from './billing.ts';

export type Words = {
  readonly intro: string;
  readonly address: string;
  readonly keys: string;
  readonly accessKey: string;
  readonly check: string;
  readonly clean: string;
  readonly copyKeys: string;
  readonly csv: string;
  readonly copy: string;
  readonly none: string;
  readonly odd: (words: readonly string[]) => string;
  readonly progress: (done: number, all: number) => string;
  readonly cleaned: (count: number) => string;
  readonly undo: string;
  readonly stop: string;
  readonly stopped: string;
  readonly accessKeyNeeded: string;
  readonly total: (keys: number, working: number, remaining: string) => string;
  readonly columns: readonly [string, string, string, string, string, string, string, string];
  readonly states: Readonly<Record<Balance['state'], string>>;
  readonly unlimited: string;
  readonly never: string;
  readonly caption: string;
};

export const words: Readonly<Record<Language, Words>> = {
  en: {
    intro:
      'Shows what is left on your keys. The keys stay in this page: they are sent to your upstream through this gateway, and nowhere else.',
    address: 'API address',
    keys: 'Keys, one per line',
    accessKey: 'Access key of this gateway (if it has one)',
    check: 'Check',
    clean: 'Remove dead keys',
    copyKeys: 'Copy all keys',
    csv: 'Save as CSV',
    copy: 'Copy',
    none: 'Enter at least one key: eight characters or more, without spaces.',
    odd: (odd) => `Not checked, because it cannot be a key: ${odd.join(', ')}`,
    progress: (done, all) => `${done} of ${all} checked`,
    cleaned: (count) => `${count} ${count === 1 ? 'key' : 'keys'} removed.`,
    undo: 'Undo',
    stop: 'Stop',
    stopped: 'Stopped.',
    accessKeyNeeded: 'No key was checked. Enter the access key of this gateway, then check again.',
    total: (keys, working, remaining) =>
      `${keys} ${keys === 1 ? 'key' : 'keys'}, ${working} working, ${remaining} remaining`,
    columns: ['Key', 'State', 'Plan', 'Newest model', 'Granted', 'Used', 'Remaining', 'Expires'],
    states: {
      ok: 'works',
      empty: 'used up',
      expired: 'expired',
      dead: 'refused',
      untold: 'no balance available',
      failed: 'no response',
    },
    unlimited: 'unlimited',
    never: '–',
    caption: 'Amounts as the upstream reports them, usually in dollars.',
  },
  zh: {
    intro: '查看密钥的余额。密钥只保留在本页面：仅通过本网关发送到您的上游，不会发送到其他地方。',
    address: 'API 地址',
    keys: '密钥，每行一个',
    accessKey: '本网关的访问密钥（如果有）',
    check: '查询',
    clean: '移除失效密钥',
    copyKeys: '复制全部密钥',
    csv: '导出 CSV',
    copy: '复制',
    none: '请至少输入一个密钥：8 个字符以上，不含空格。',
    odd: (odd) => `以下内容不是密钥，未查询：${odd.join('、')}`,
    progress: (done, all) => `已查询 ${done} / ${all}`,
    cleaned: (count) => `已移除 ${count} 个密钥。`,
    undo: '撤销',
    stop: '停止',
    stopped: '已停止。',
    accessKeyNeeded: '尚未查询任何密钥。请输入本网关的访问密钥，然后重新查询。',
    total: (keys, working, remaining) => `共 ${keys} 个密钥，${working} 个可用，剩余 ${remaining}`,
    columns: ['密钥', '状态', '套餐', '最新模型', '总额', '已用', '剩余', '到期'],
    states: {
      ok: '可用',
      empty: '已用完',
      expired: '已过期',
      dead: '无效',
      untold: '无法查询余额',
      failed: '无响应',
    },
    unlimited: '不限',
    never: '–',
    caption: '金额以上游返回的为准，通常为美元。',
  },
};
