import { useRef, useState } from 'preact/hooks';
import { Copy } from '../shared/copy.tsx';
import { keyHeaders, root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { AccessKeyNeeded, type Ask, type Balance, checkKey } from './billing.ts';
import { toCsv } from './csv.ts';
import { masked, readKeys } from './keys.ts';
import { BalanceTable } from './table.tsx';
import { words as allWords, type Words } from './words.ts';

/** Keys that are checked at the same time. */
const atOnce = 4;

function asker(key: string, accessKey: string): Ask {
  return async (path) => {
    try {
      const answer = await fetch(root + path, { headers: keyHeaders(key, accessKey), cache: 'no-store' });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    } catch (error) {
      return { status: 0, body: { message: String(error) } };
    }
  };
}

type Removed = { readonly text: string; readonly balances: readonly Balance[] };

function BalancePage({ language }: { language: Language }) {
  const words = allWords[language];
  const [text, setText] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [balances, setBalances] = useState<readonly Balance[]>([]);
  const [count, setCount] = useState<{ done: number; all: number } | null>(null);
  const [message, setMessage] = useState('');
  const [removed, setRemoved] = useState<Removed | null>(null);
  const isStopped = useRef(false);

  const check = async () => {
    const { keys, odd } = readKeys(text);
    setMessage(keys.length === 0 ? words.none : odd.length > 0 ? words.odd(odd.map(masked)) : '');
    setRemoved(null);
    if (keys.length === 0) return;
    setBalances([]);
    setCount({ done: 0, all: keys.length });
    isStopped.current = false;
    const results = new Map<string, Balance>();
    const waiting = [...keys];
    const work = async () => {
      for (let key = waiting.shift(); key !== undefined && !isStopped.current; key = waiting.shift()) {
        results.set(key, await checkKey(key, asker(key, accessKey.trim()), new Date()));
        setCount({ done: results.size, all: keys.length });
        setBalances(keys.flatMap((each) => results.get(each) ?? []));
      }
    };
    try {
      await Promise.all(Array.from({ length: atOnce }, work));
      if (isStopped.current) setMessage(words.stopped);
    } catch (error) {
      isStopped.current = true;
      if (!(error instanceof AccessKeyNeeded)) throw error;
      // The gateway refused us, which says nothing about the keys.
      setBalances([]);
      setMessage(words.accessKeyNeeded);
      document.getElementById('access')?.focus();
    } finally {
      setCount(null);
    }
  };
  const clean = () => {
    const kept = balances.filter(({ state }) => !['dead', 'empty', 'expired'].includes(state));
    setRemoved({ text, balances });
    setMessage(words.cleaned(balances.length - kept.length));
    setBalances(kept);
    setText(kept.map(({ key }) => key).join('\n'));
  };
  const undo = () => {
    if (!removed) return;
    setText(removed.text);
    setBalances(removed.balances);
    setRemoved(null);
    setMessage('');
  };
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([toCsv(balances)], { type: 'text/csv' }));
    link.download = 'balances.csv';
    link.click();
    URL.revokeObjectURL(link.href);
  };

  return (
    <>
      <p class="soft">{words.intro}</p>
      <div class="row">
        <span>{words.address}</span>
        <Copy class="mono" text={`${root}/v1`} label={`${root}/v1`} language={language} />
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void check();
        }}
      >
        <label for="keys">{words.keys}</label>
        <textarea
          id="keys"
          rows={6}
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <Secret id="access" label={words.accessKey} value={accessKey} onValue={setAccessKey} />
        <div class="row">
          <button type="submit" class="main" disabled={count !== null}>
            {words.check}
          </button>
          {count !== null && (
            <button
              type="button"
              onClick={() => {
                isStopped.current = true;
              }}
            >
              {words.stop}
            </button>
          )}
          <button type="button" disabled={balances.length === 0 || count !== null} onClick={clean}>
            {words.clean}
          </button>
          {balances.length > 0 && (
            <>
              <Copy
                text={balances.map(({ key }) => key).join('\n')}
                label={words.copyKeys}
                language={language}
              />
              <button type="button" onClick={save}>
                {words.csv}
              </button>
            </>
          )}
        </div>
      </form>
      {count && (
        <progress max={count.all} value={count.done} aria-label={words.progress(count.done, count.all)} />
      )}
      <p role="status">
        {count ? words.progress(count.done, count.all) : message}{' '}
        {removed !== null && (
          <button type="button" class="plain" onClick={undo}>
            {words.undo}
          </button>
        )}
      </p>
      {balances.length > 0 && <p class="total">{totalOf(balances, words)}</p>}
      {balances.length > 0 && <BalanceTable balances={balances} words={words} language={language} />}
    </>
  );
}

/** How many keys work, and what remains on all of them. */
function totalOf(balances: readonly Balance[], words: Words): string {
  const working = balances.filter(({ state }) => state === 'ok' || state === 'untold');
  const amounts = working.map(({ remaining }) => remaining);
  const sum = amounts.reduce<number>((total, each) => total + (typeof each === 'number' ? each : 0), 0);
  return words.total(
    balances.length,
    working.length,
    amounts.includes('unlimited') ? words.unlimited : sum.toFixed(2),
  );
}

show('balance', BalancePage);
