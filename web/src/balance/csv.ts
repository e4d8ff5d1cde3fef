import type { Balance } from './billing.ts';

const columns = [
  'key',
  'state',
  'plan',
  'newestModel',
  'granted',
  'used',
  'remaining',
  'expires',
  'message',
] as const;

/** Without it, Excel does not read UTF-8. */
const byteOrderMark = '\uFEFF';

/**
 * A table for spreadsheets, with the complete keys (RFC 4180). A cell that looks like a formula
 * gets an apostrophe.
 */
export function toCsv(balances: readonly Balance[]): string {
  const rows = balances.map((balance) => {
    const expires = balance.expiresAt === null ? null : new Date(balance.expiresAt * 1000).toISOString();
    return columns.map((name) => cell(name === 'expires' ? expires : balance[name])).join(',');
  });
  return byteOrderMark + [columns.join(','), ...rows, ''].join('\r\n');
}

function cell(value: string | number | null): string {
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  const text = (value ?? '').replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
