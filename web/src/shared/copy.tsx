import { useState } from 'preact/hooks';
import type { Language } from './language.ts';

/** A button that copies a text and confirms it. */
export function Copy(props: { text: string; label: string; language: Language; class?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(props.text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <button type="button" class={props.class} onClick={copy}>
      <span aria-live="polite">{copied ? (props.language === 'zh' ? '已复制' : 'Copied') : props.label}</span>
    </button>
  );
}

/** The clipboard API needs https. Without it, a selection is copied. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
