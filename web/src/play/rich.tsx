import { Marked, type Token, type Tokens } from 'marked';
import type { ComponentChildren } from 'preact';
import { memo } from 'preact/compat';
import { Copy } from '../shared/copy.tsx';
import type { Language } from '../shared/language.ts';
import { math } from './math.ts';
import { RichTable } from './rich-table.tsx';

const marked = new Marked({ extensions: [math('\\(', '\\)', 'inline'), math('\\[', '\\]', 'inline')] });

type Props = { readonly language: Language; readonly copyLabel: string };

/**
 * Markdown as elements. Nothing in it becomes HTML, and only web addresses become links and
 * pictures.
 */
export function Rich({ text, ...props }: Props & { text: string }) {
  return (
    <>
      {marked.lexer(text).map((token, i) => (
        <Block key={i} token={token} {...props} />
      ))}
    </>
  );
}

/**
 * A block is drawn again only if its source changed: while an answer grows, that is its last one.
 */
const Block = memo(
  ({ token, ...props }: Props & { token: Token }) => <>{block(token, 0, props)}</>,
  (before, after) => before.token.raw === after.token.raw && before.language === after.language,
);

function safe(address: string): string | undefined {
  const url = URL.parse(address);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined;
}

function picture(address: string): string | undefined {
  return /^data:image\/(png|jpeg|gif|webp);base64,/.test(address) ? address : safe(address);
}

/** The inline content of a token. */
export function inside(token: Token, fallback = ''): ComponentChildren {
  return 'tokens' in token && token.tokens ? token.tokens.map(inline) : fallback;
}

function block(token: Token, key: number, props: Props): ComponentChildren {
  switch (token.type) {
    case 'space':
      return null;
    case 'heading': {
      // The page has the first two levels.
      const Heading = `h${Math.min((token as Tokens.Heading).depth + 2, 6)}` as 'h3';
      return <Heading key={key}>{inside(token)}</Heading>;
    }
    case 'code':
      return <Code key={key} token={token as Tokens.Code} {...props} />;
    case 'blockquote':
      return (
        <blockquote key={key}>
          {((token as Tokens.Blockquote).tokens ?? []).map((each, i) => block(each, i, props))}
        </blockquote>
      );
    case 'hr':
      return <hr key={key} />;
    case 'list': {
      const { ordered, start, items } = token as Tokens.List;
      const entries = items.map((item, i) => (
        <li key={i} class={item.task ? 'task' : undefined}>
          {item.task && <input type="checkbox" class="box" checked={item.checked === true} disabled />}
          {item.tokens.filter(({ type }) => type !== 'checkbox').map((each, at) => block(each, at, props))}
        </li>
      ));
      return ordered ? (
        <ol key={key} start={Number(start) || 1}>
          {entries}
        </ol>
      ) : (
        <ul key={key}>{entries}</ul>
      );
    }
    case 'table':
      return <RichTable key={key} token={token as Tokens.Table} />;
    case 'text':
      return <span key={key}>{inside(token, decoded((token as Tokens.Text).text))}</span>;
    default:
      return <p key={key}>{inside(token, token.raw)}</p>;
  }
}

function Code({ token, language, copyLabel }: Props & { token: Tokens.Code }) {
  return (
    <figure class="code">
      <figcaption class="soft small">
        {token.lang} <Copy class="plain" text={token.text} label={copyLabel} language={language} />
      </figcaption>
      <pre>
        <code>{token.text}</code>
      </pre>
    </figure>
  );
}

function inline(token: Token, key: number): ComponentChildren {
  switch (token.type) {
    case 'strong':
      return <strong key={key}>{inside(token)}</strong>;
    case 'em':
      return <em key={key}>{inside(token)}</em>;
    case 'del':
      return <del key={key}>{inside(token)}</del>;
    case 'codespan':
      return <code key={key}>{(token as Tokens.Codespan).text}</code>;
    case 'math':
      return (
        <code key={key} class="math">
          {token.raw}
        </code>
      );
    case 'br':
      return <br key={key} />;
    case 'link': {
      const href = safe((token as Tokens.Link).href);
      if (href === undefined) return <span key={key}>{inside(token)}</span>;
      return (
        <a key={key} href={href} target="_blank" rel="noreferrer">
          {inside(token)}
        </a>
      );
    }
    case 'image': {
      const { href, text } = token as Tokens.Image;
      return <img key={key} src={picture(href)} alt={text} />;
    }
    case 'escape':
      return (token as Tokens.Escape).text;
    case 'text':
      return inside(token, decoded((token as Tokens.Text).text));
    default:
      return token.raw;
  }
}

/** A text with its entities read, such as `&amp;`. Nothing else in it is taken as HTML. */
function decoded(text: string): string {
  if (!text.includes('&')) return text;
  const parser = new DOMParser();
  return text.replace(
    /&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z][a-z\d]{1,31});/gi,
    (entity) => parser.parseFromString(entity, 'text/html').documentElement.textContent || entity,
  );
}
