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
  readonly odd: (count: number) => string;
  readonly progress: (done: number, all: number) => string;
  readonly cleaned: (count: number) => string;
  readonly columns: readonly [string, string, string, string, string, string, string, string];
  readonly states: Readonly<Record<Balance['state'], string>>;
  readonly unlimited: string;
  readonly never: string;
  readonly caption: string;
};

export const words: Readonly<Record<Language, Words>> = {
  en: {
    intro:
      'Keys stay in this page. They go to your upstream through this gateway and nowhere else, and are gone when you leave.',
    address: 'API address',
    keys: 'Keys, one a line',
    accessKey: 'Access key of this gateway, if it asks for one',
    check: 'Check',
    clean: 'Clean',
    copyKeys: 'Copy the keys',
    csv: 'Save as CSV',
    copy: 'Copy',
    none: 'Put at least one key in: eight characters or more, without spaces.',
    odd: (count) =>
      `${count} ${count === 1 ? 'word looks' : 'words look'} like no key and ${count === 1 ? 'was' : 'were'} left out.`,
    progress: (done, all) => `${done} of ${all} checked`,
    cleaned: (count) => `${count} ${count === 1 ? 'key' : 'keys'} removed.`,
    columns: ['Key', 'State', 'Plan', 'Newest model', 'Granted', 'Used', 'Remaining', 'Expires'],
    states: {
      ok: 'works',
      empty: 'used up',
      dead: 'refused',
      untold: 'works; this upstream tells no balance',
      failed: 'no answer',
    },
    unlimited: 'unlimited',
    never: 'never told',
    caption: 'Amounts as the upstream gives them, mostly dollars.',
  },
  zh: {
    intro: '密钥只留在本页：仅经由本网关发往您的上游，不会存储，也不会发往别处；离开页面即消失。',
    address: 'API 地址',
    keys: '密钥，每行一个',
    accessKey: '本网关的访问密钥（如有要求）',
    check: '查询',
    clean: '清理',
    copyKeys: '复制密钥',
    csv: '导出 CSV',
    copy: '复制',
    none: '请至少填写一个密钥：八个字符以上，不含空格。',
    odd: (count) => `${count} 项不像密钥，已略过。`,
    progress: (done, all) => `已查询 ${done} / ${all}`,
    cleaned: (count) => `已移除 ${count} 个密钥。`,
    columns: ['密钥', '状态', '套餐', '最新模型', '总额', '已用', '剩余', '到期'],
    states: {
      ok: '可用',
      empty: '已用尽',
      dead: '无效',
      untold: '可用；此上游不提供余额',
      failed: '无应答',
    },
    unlimited: '不限',
    never: '未告知',
    caption: '金额以上游所报为准，通常为美元。',
  },
};
