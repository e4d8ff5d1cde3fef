import type { Finding } from './finding.ts';
import { english } from './words-en.ts';
import { chinese } from './words-zh.ts';

/** The mark before a finding. */
export const icons = { good: '✓', warn: '!', bad: '✗', skipped: '–' } as const;

/** A finding as a sentence, and what to change; `fix` is null if nothing is wrong. */
export type Explanation = { readonly text: string; readonly fix: string | null };

/** Puts a finding into words. */
export function explain({ code, facts }: Finding, language: 'en' | 'zh'): Explanation {
  const [text, fix] = (language === 'zh' ? chinese : english)[code](facts);
  return { text: text.trim(), fix: fix || null };
}
