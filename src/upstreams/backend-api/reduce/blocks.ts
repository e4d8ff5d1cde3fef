import type { Segment } from '../../../segments/segment.ts';
import { isFinished, listOf, type Message, textOf } from '../decode/message.ts';
import type { Role } from './classify.ts';
import { createMarkedText, type MarkedText } from './marked-text.ts';

/** Longest output of a tool that is shown, in characters. */
const longestOutput = 1024 * 1024;

/** A call in code or its output, as it grows. Output comes when it is finished. */
export function createBlock(id: string) {
  let text: MarkedText | null = null;
  let corrections = 0;

  const segment = (role: BlockRole, added: string): Segment => {
    const block = corrections === 0 ? id : `${id}#${corrections}`;
    const isPrivate = role.isPrivate ? { isPrivate: true } : {};
    return role.as === 'code'
      ? { kind: 'code', text: added, language: role.language, block, ...isPrivate }
      : { kind: 'output', text: added, block, ...isPrivate };
  };

  return {
    push(message: Message, appended: string | null, role: BlockRole): Segment[] {
      const finished = isFinished(message);
      const raw = textOf(message.content);
      const shown = role.as === 'code' ? codeOf(message, raw, finished) : outputOf(message, raw);
      // Code that is a program's JSON, and output, are shown when they are whole.
      if (shown === null || (role.as === 'output' && !finished)) return [];
      text ??= createMarkedText({ messageId: null, isCode: true, waits: false });
      const state = finished ? 'closed' : 'growing';
      return text
        .push(shown, shown === raw ? appended : null, undefined, state)
        .flatMap((each): Segment[] => {
          if (each.kind === 'text') return each.text === '' ? [] : [segment(role, each.text)];
          if (each.kind === 'citation') return each.plain ? [segment(role, each.plain)] : [];
          corrections++;
          return role.isPrivate ? [] : [each];
        });
    },
  };
}

type BlockRole = Extract<Role, { as: 'code' | 'output' }>;
export type Block = ReturnType<typeof createBlock>;

/** Code as it is; a command for a shell out of the JSON it comes in, null until that is whole. */
function codeOf(message: Message, raw: string, finished: boolean): string | null {
  if (!(message.recipient ?? '').startsWith('container') || !/^\s*\{/.test(raw)) return raw;
  if (!finished) return null;
  try {
    const { cmd } = JSON.parse(raw) as { cmd?: unknown };
    if (typeof cmd === 'string') return cmd;
    if (!Array.isArray(cmd) || cmd.length === 0) return raw;
    const words = cmd.map(String);
    const isShell = words.length === 3 && /(?:^|\/)(?:ba|z|da)?sh$/.test(words[0] as string);
    return isShell && /^-[a-z]*c$/.test(words[1] as string) ? (words[2] as string) : words.join(' ');
  } catch {
    return raw;
  }
}

/** What a tool printed, or why it failed. A line that stands for a picture is left out. */
function outputOf(message: Message, raw: string): string {
  if (message.content?.content_type === 'system_error')
    return `${message.content.name ?? 'error'}: ${raw}`.slice(0, longestOutput);
  const text = (raw === '' ? resultOf(message) : raw).slice(0, longestOutput);
  return text.includes('<<ImageDisplayed>>') ? text.replace(/^\n?<<ImageDisplayed>>\n?/gm, '') : text;
}

/** What is printed in the metadata alone. */
function resultOf({ metadata }: Message): string {
  const result = metadata?.aggregate_result;
  if (typeof result !== 'object' || result === null) return '';
  const printed = listOf(result.messages).map(({ text }) => (typeof text === 'string' ? text : ''));
  const error = result.in_kernel_exception;
  const lines = Array.isArray(error?.traceback) ? error.traceback.map(String) : [];
  const value = result.final_expression_output;
  return [
    ...printed,
    typeof value === 'string' ? value : '',
    lines.length > 0 ? lines.join('\n') : typeof error?.name === 'string' ? error.name : '',
  ].join('');
}
