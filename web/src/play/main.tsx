import { useEffect, useRef, useState } from 'preact/hooks';
import { keyHeaders, root } from '../shared/gateway.ts';
import type { Language } from '../shared/language.ts';
import { messageOf } from '../shared/message.ts';
import { show } from '../shared/page.tsx';
import { Secret } from '../shared/secret.tsx';
import { chat, chatBody, type Message, type Part } from './chat.ts';
import { RequestElsewhere } from './request.tsx';
import { Rich } from './rich.tsx';
import { words as allWords } from './words.ts';

type Model = { readonly id: string };

/** The models that the gateway lists, asked for again a moment after the keys change. */
function useModels(headers: Record<string, string>) {
  const [models, setModels] = useState<readonly Model[]>([]);
  const [trouble, setTrouble] = useState('');
  const keys = JSON.stringify(headers);
  useEffect(() => {
    const left = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const answer = await fetch(`${root}/v1/models`, { headers: JSON.parse(keys), signal: left.signal });
        const body = (await answer.json()) as { data?: readonly Model[] };
        setModels(answer.ok ? (body.data ?? []) : []);
        setTrouble(answer.ok ? '' : messageOf(answer.status, body));
      } catch (error) {
        if (!left.signal.aborted) setTrouble(String(error));
      }
    }, 300);
    return () => {
      clearTimeout(timer);
      left.abort();
    };
  }, [keys]);
  return { models, trouble };
}

function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function PlayPage({ language }: { language: Language }) {
  const words = allWords[language];
  const [key, setKey] = useState('');
  const [accessKey, setAccessKey] = useState('');
  const [model, setModel] = useState('');
  const [text, setText] = useState('');
  const [pictures, setPictures] = useState<readonly string[]>([]);
  const [turns, setTurns] = useState<readonly Message[]>([]);
  const [answer, setAnswer] = useState<string | null>(null);
  const [told, setTold] = useState('');
  const running = useRef<AbortController | null>(null);
  const headers = keyHeaders(key.trim(), accessKey.trim());
  const { models, trouble } = useModels(headers);
  const chosen = model || models[0]?.id || 'gpt-4o-mini';

  const parts: Part[] = [
    ...(text === '' && pictures.length > 0 ? [] : [{ type: 'text' as const, text: text || 'Hello' }]),
    ...pictures.map((url) => ({ type: 'image_url' as const, image_url: { url } })),
  ];
  const next: Message = { role: 'user', content: pictures.length > 0 ? parts : text || 'Hello' };
  const body = chatBody(chosen, [...turns, next]);

  const send = async () => {
    const asked = [...turns, next];
    const controller = new AbortController();
    running.current = controller;
    setTurns(asked);
    setText('');
    setPictures([]);
    setTold('');
    let said = '';
    setAnswer(said);
    try {
      for await (const piece of chat(
        `${root}/v1/chat/completions`,
        headers,
        chatBody(chosen, asked),
        controller.signal,
      )) {
        said += piece;
        setAnswer(said);
      }
    } catch (error) {
      setTold(controller.signal.aborted ? words.stopped : (error as Error).message);
    }
    if (said !== '') setTurns([...asked, { role: 'assistant', content: said }]);
    setAnswer(null);
    running.current = null;
  };

  return (
    <>
      <p class="soft">{words.intro}</p>
      <Secret id="key" label={words.key} value={key} onValue={setKey} />
      <Secret id="access" label={words.accessKey} value={accessKey} onValue={setAccessKey} />
      <label for="model">{words.model}</label>
      <input
        id="model"
        list="models"
        value={model}
        placeholder={chosen}
        onInput={(e) => setModel(e.currentTarget.value)}
      />
      <datalist id="models">
        {models.map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      {trouble !== '' && (
        <p class="warn">
          {words.models} {trouble}
        </p>
      )}
      <section aria-live="polite" aria-busy={answer !== null}>
        {turns.map((turn, i) => (
          <Turn key={i} message={turn} name={turn.role === 'user' ? words.you : words.answer} />
        ))}
        {answer !== null && (
          <Turn message={{ role: 'assistant', content: answer || '…' }} name={words.answer} />
        )}
      </section>
      <p role="status" class="bad">
        {told}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label for="message">{words.message}</label>
        <textarea id="message" rows={3} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        <label for="pictures">{words.pictures}</label>
        <input
          id="pictures"
          key={turns.length}
          type="file"
          accept="image/*"
          multiple
          onChange={async (event) => {
            const files = [...(event.currentTarget.files ?? [])];
            setPictures(await Promise.all(files.map(asDataUrl)));
          }}
        />
        <div class="row thumbs">
          {pictures.map((url, i) => (
            <button
              key={url.slice(-40)}
              type="button"
              class="plain"
              aria-label={words.remove}
              onClick={() => setPictures(pictures.filter((_, at) => at !== i))}
            >
              <img src={url} alt="" />
            </button>
          ))}
        </div>
        <div class="row">
          <button type="submit" class="main" disabled={answer !== null}>
            {words.send}
          </button>
          <button type="button" disabled={answer === null} onClick={() => running.current?.abort()}>
            {words.stop}
          </button>
          <button type="button" disabled={turns.length === 0 || answer !== null} onClick={() => setTurns([])}>
            {words.clear}
          </button>
        </div>
      </form>
      <RequestElsewhere body={body} words={words} language={language} />
    </>
  );
}

function Turn({ message, name }: { message: Message; name: string }) {
  const parts: readonly Part[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  return (
    <div class="turn">
      <b>{name}</b>
      <div class="card">
        {parts.map((part, i) =>
          part.type === 'text' ? (
            <Rich key={i} text={part.text} />
          ) : (
            <img key={i} src={part.image_url.url} alt="" />
          ),
        )}
      </div>
    </div>
  );
}

show('play', PlayPage);
