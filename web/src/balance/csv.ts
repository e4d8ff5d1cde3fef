import type { Balance } from './billing.ts';

const columns = ['key', 'state', 'plan', 'newestModel', 'granted', 'used', 'remaining', 'expires'] as const;

/** A table that spreadsheets open, with the whole keys in it (RFC 4180). What would be taken for a formula gets an apostrophe. */
export function toCsv(balances: readonly Balance[]): string {
  const rows = balances.map((balance) => {
    const expires = balance.expiresAt === null ? null : new Date(balance.expiresAt * 1000).toISOString();
    return columns.map((name) => cell(name === 'expires' ? expires : balance[name])).join(',');
  });
  return [columns.join(','), ...rows, ''].join('\r\n');
}

function cell(value: string | number | null): string {
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  const text = (value ?? '').replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
