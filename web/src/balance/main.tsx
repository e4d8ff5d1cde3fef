import { useState } from 'preact/hooks';
import { Copy } from '../shared/copy.tsx';
import { keyHeaders, root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { type Ask, type Balance, checkKey } from './billing.ts';
import { toCsv } from './csv.ts';
import { readKeys } from './keys.ts';
import { BalanceTable } from './table.tsx';
import { words as allWords } from './words.ts';

/** Keys that are asked about at once. */
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

function BalancePage({ language }: { language: Language }) {
  const words = allWords[language];
  const [text, setText] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [balances, setBalances] = useState<readonly Balance[]>([]);
  const [count, setCount] = useState<{ done: number; all: number } | null>(null);
  const [told, setTold] = useState('');

  const check = async () => {
    const { keys, odd } = readKeys(text);
    setTold(keys.length === 0 ? words.none : odd.length > 0 ? words.odd(odd.length) : '');
    if (keys.length === 0) return;
    setBalances([]);
    setCount({ done: 0, all: keys.length });
    const found = new Map<string, Balance>();
    const waiting = [...keys];
    const work = async () => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
        found.set(key, await checkKey(key, asker(key, accessKey.trim()), new Date()));
        setCount({ done: found.size, all: keys.length });
        setBalances(keys.flatMap((each) => found.get(each) ?? []));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    setCount(null);
  };
  const clean = () => {
    const kept = balances.filter(({ state }) => state !== 'dead' && state !== 'empty');
    setTold(words.cleaned(balances.length - kept.length));
    setBalances(kept);
    setText(kept.map(({ key }) => key).join('\n'));
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
      <p role="status">{count ? words.progress(count.done, count.all) : told}</p>
      {balances.length > 0 && <BalanceTable balances={balances} words={words} language={language} />}
    </>
  );
}

show('balance', BalancePage);
