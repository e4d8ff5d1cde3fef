import { Copy } from '../shared/copy.tsx';
import type { Language } from '../shared/language.ts';
import type { Balance } from './billing.ts';
import { masked } from './keys.ts';
import type { Words } from './words.ts';

const tone = {
  ok: 'good',
  untold: 'soft',
  empty: 'warn',
  expired: 'warn',
  dead: 'bad',
  failed: 'bad',
} as const;

/** One row for each key; on a phone, one card. */
export function BalanceTable(props: { balances: readonly Balance[]; words: Words; language: Language }) {
  const { balances, words, language } = props;
  const amount = (value: number | 'unlimited' | null) =>
    value === null ? '–' : value === 'unlimited' ? words.unlimited : value.toFixed(2);
  const day = (seconds: number | null) =>
    seconds === null ? words.never : new Date(seconds * 1000).toISOString().slice(0, 10);
  const [key, state, plan, newest, granted, used, remaining, expires] = words.columns;
  return (
    <div class="scroll">
      <table class="stack">
        <caption>{words.caption}</caption>
        <thead>
          <tr>
            {words.columns.map((name, i) => (
              <th key={name} scope="col" class={i >= 4 && i <= 6 ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {balances.map((each) => (
            <tr key={each.key}>
              <td data-name={key}>
                <span class="whole">
                  <span class="mono">{masked(each.key)}</span>{' '}
                  <Copy class="plain" text={each.key} label={words.copy} language={language} />
                </span>
              </td>
              <td data-name={state} class={tone[each.state]}>
                <span>
                  {words.states[each.state]}
                  {each.message === null ? null : <span class="soft"> {each.message}</span>}
                </span>
              </td>
              <td data-name={plan}>{each.plan ?? '–'}</td>
              <td data-name={newest}>{each.newestModel ?? '–'}</td>
              <td data-name={granted} class="number">
                {amount(each.granted)}
              </td>
              <td data-name={used} class="number">
                {amount(each.used)}
              </td>
              <td data-name={remaining} class="number">
                {amount(each.remaining)}
              </td>
              <td data-name={expires} class="whole">
                {day(each.expiresAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
