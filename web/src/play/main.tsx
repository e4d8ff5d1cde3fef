import { useEffect, useRef, useState } from 'preact/hooks';
import { keyHeaders } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { chatBody } from './chat.ts';
import { Composer } from './composer.tsx';
import { type Exchange, partsOf, userMessage } from './conversation.ts';
import { ExchangeView } from './exchange.tsx';
import { RequestElsewhere } from './request.tsx';
import { useConversation } from './use-conversation.ts';
import { useModels } from './use-models.ts';
import { words as allWords } from './words.ts';

function PlayPage({ language }: { language: Language }) {
  const words = allWords[language];
  const [key, setKey] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [model, setModel] = useState<string | null>(null);
  const [text, setText] = useState('');
  const [pictures, setPictures] = useState<readonly string[]>([]);
  const box = useRef<HTMLTextAreaElement>(null);
  const headers = keyHeaders(key.trim(), accessKey.trim());
  const { models, problem, needsKey } = useModels(headers);
  const { exchanges, isRunning, send, stop, clear } = useConversation(headers);
  const chosen = model ?? models[0] ?? '';
  // An exchange that is not drawn again keeps its first callback. It must still send to the model
  // chosen now.
  const currentModel = useRef(chosen);
  currentModel.current = chosen;
  useFollowing(exchanges);

  const submit = async () => {
    const user = userMessage(text.trim(), pictures);
    setText('');
    setPictures([]);
    const isAnswered = await send(chosen, user);
    // What failed comes back into the box, unless something else was typed meanwhile.
    if (!isAnswered) {
      setText((now) => now || partsOf(user).text);
      setPictures((now) => (now.length > 0 ? now : partsOf(user).pictures));
    }
    box.current?.focus();
  };
  const retry = (exchange: Exchange) => {
    setText('');
    setPictures([]);
    void send(
      currentModel.current,
      exchange.user,
      exchanges.filter(({ id }) => id < exchange.id),
    );
  };
  const last = exchanges.at(-1);
  const shown =
    text.trim() === '' && pictures.length === 0 && last ? last.user : userMessage(text || 'Hello', pictures);

  return (
    <>
      <p class="soft">{words.intro}</p>
      <details open={needsKey}>
        <summary>{words.keysTitle}</summary>
        <Secret id="key" label={words.key} value={key} onValue={setKey} />
        <Secret id="access" label={words.accessKey} value={accessKey} onValue={setAccessKey} />
      </details>
      <label for="model">{words.model}</label>
      <input
        id="model"
        list="models"
        value={chosen}
        onInput={(event) => setModel(event.currentTarget.value)}
      />
      <datalist id="models">
        {models.map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      {needsKey && <p class="warn">{words.keyNeeded}</p>}
      {problem !== '' && !needsKey && (
        <p class="warn">
          {words.models} {problem}
        </p>
      )}
      <section aria-live="polite" aria-busy={isRunning}>
        {exchanges.map((exchange) => (
          <ExchangeView
            key={exchange.id}
            exchange={exchange}
            words={words}
            language={language}
            onRetry={isRunning || exchange !== last ? null : () => retry(exchange)}
          />
        ))}
      </section>
      <p role="status" class="visually-hidden">
        {isRunning ? words.running : (last?.answer.error ?? '')}
      </p>
      <Composer
        words={words}
        text={text}
        pictures={pictures}
        isRunning={isRunning}
        box={box}
        onText={setText}
        onPictures={setPictures}
        onSend={() => void submit()}
        onStop={stop}
      />
      <div class="row">
        <button type="button" disabled={exchanges.length === 0 || isRunning} onClick={clear}>
          {words.clear}
        </button>
      </div>
      <RequestElsewhere body={chatBody(chosen, [shown])} words={words} language={language} />
    </>
  );
}

/** Keeps the end of the conversation in view while it grows, unless the reader scrolled up. */
function useFollowing(exchanges: readonly Exchange[]): void {
  const isAtEnd = useRef(true);
  useEffect(() => {
    const look = () => {
      const { scrollHeight } = document.documentElement;
      isAtEnd.current = scrollHeight - window.scrollY - window.innerHeight < 120;
    };
    addEventListener('scroll', look, { passive: true });
    return () => removeEventListener('scroll', look);
  }, []);
  useEffect(() => {
    if (exchanges.length > 0 && isAtEnd.current)
      document.querySelector('.composer')?.scrollIntoView({ block: 'end' });
  }, [exchanges]);
}

show('play', PlayPage);
