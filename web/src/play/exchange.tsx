import { memo } from 'preact/compat';
import { Copy } from '../shared/copy.tsx';
import type { Language } from '../shared/language.ts';
import { type Exchange, partsOf } from './conversation.ts';
import { Rich } from './rich.tsx';
import type { Words } from './words.ts';

type Props = {
  readonly exchange: Exchange;
  readonly words: Words;
  readonly language: Language;
  /** Sends the message again; null while it cannot be. */
  readonly onRetry: (() => void) | null;
};

/**
 * A message and its answer. It is drawn again only if it changed, so a long conversation stays
 * quick.
 */
export const ExchangeView = memo(
  ({ exchange, words, language, onRetry }: Props) => {
    const { user, answer } = exchange;
    const { text, pictures } = partsOf(user);
    return (
      <>
        <div class="turn user">
          <b>{words.you}</b>
          <div class="card">
            <p class="typed">{text}</p>
            {pictures.map((url, i) => (
              <img key={i} src={url} alt="" />
            ))}
          </div>
        </div>
        <div class="turn">
          <b>{words.answer}</b>
          <div class="card">
            {answer.reasoning !== '' && (
              <details class="soft" open={answer.text === ''}>
                <summary>{words.reasoning}</summary>
                <p class="typed">{answer.reasoning}</p>
              </details>
            )}
            <Rich text={answer.text} language={language} copyLabel={words.copy} />
            {answer.state === 'running' && answer.text === '' && <p class="soft">…</p>}
            {answer.state === 'stopped' && <p class="warn">{words.stopped}</p>}
            {answer.finish === 'length' && <p class="warn">{words.cut}</p>}
            {answer.state === 'failed' && <p class="bad">{answer.error}</p>}
            <Below answer={answer} words={words} language={language} onRetry={onRetry} />
          </div>
        </div>
      </>
    );
  },
  (before, after) =>
    before.exchange.answer === after.exchange.answer &&
    before.words === after.words &&
    (before.onRetry === null) === (after.onRetry === null),
);

/** Times, and what can be done with the answer. */
function Below({
  answer,
  words,
  language,
  onRetry,
}: Omit<Props, 'exchange'> & { answer: Exchange['answer'] }) {
  if (answer.state === 'running') return null;
  const seconds = (ms: number | null) => (ms === null ? '–' : `${(ms / 1000).toFixed(2)} s`);
  return (
    <div class="row small">
      {answer.firstMs !== null && (
        <span class="soft">{words.times(seconds(answer.firstMs), seconds(answer.totalMs))}</span>
      )}
      {answer.text !== '' && <Copy class="plain" text={answer.text} label={words.copy} language={language} />}
      {onRetry !== null && (
        <button type="button" class="plain" onClick={onRetry}>
          {words.retry}
        </button>
      )}
    </div>
  );
}
