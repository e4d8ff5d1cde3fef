import type { RefObject } from 'preact';
import type { Words } from './words.ts';

type Props = {
  readonly words: Words;
  readonly text: string;
  readonly pictures: readonly string[];
  readonly isRunning: boolean;
  readonly box: RefObject<HTMLTextAreaElement | null>;
  readonly onText: (text: string) => void;
  readonly onPictures: (pictures: readonly string[]) => void;
  readonly onSend: () => void;
  readonly onStop: () => void;
};

/**
 * The box at the bottom. Enter sends, Shift+Enter makes a line, Esc stops. Pictures can be chosen,
 * pasted or dropped.
 */
export function Composer(props: Props) {
  const { words, text, pictures, isRunning, onPictures } = props;
  const isEmpty = text.trim() === '' && pictures.length === 0;
  const add = async (files: Iterable<File>): Promise<void> => {
    const images = [...files].filter(({ type }) => type.startsWith('image/'));
    if (images.length > 0) onPictures([...pictures, ...(await Promise.all(images.map(asDataUrl)))]);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && isRunning) props.onStop();
    // An input method uses Enter to choose a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!isEmpty && !isRunning) props.onSend();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (isRunning) props.onStop();
        else if (!isEmpty) props.onSend();
        props.box.current?.focus();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void add(event.dataTransfer?.files ?? []);
      }}
    >
      <div class="row thumbs">
        {pictures.map((url, i) => (
          <button
            key={i}
            type="button"
            class="plain"
            aria-label={words.remove}
            onClick={() => onPictures(pictures.filter((_, at) => at !== i))}
          >
            <img src={url} alt="" /> ×
          </button>
        ))}
      </div>
      <label for="message">{words.message}</label>
      <textarea
        id="message"
        ref={props.box}
        rows={Math.min(8, Math.max(2, text.split('\n').length))}
        value={text}
        onInput={(event) => props.onText(event.currentTarget.value)}
        onKeyDown={onKeyDown}
        onPaste={(event) => void add(event.clipboardData?.files ?? [])}
      />
      <div class="row">
        <button type="submit" class="main" disabled={!isRunning && isEmpty}>
          {isRunning ? words.stop : words.send}
        </button>
        <label for="pictures" class="inline">
          {words.pictures}
        </label>
        <input
          id="pictures"
          class="file"
          type="file"
          accept="image/*"
          multiple
          onChange={async (event) => {
            const input = event.currentTarget;
            await add(input.files ?? []);
            input.value = '';
          }}
        />
        <span class="soft small">{words.keys}</span>
      </div>
    </form>
  );
}

function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
