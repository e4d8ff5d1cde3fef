import { lexer, type Token, type Tokens } from 'marked';
import type { ComponentChildren } from 'preact';

/** An answer's Markdown as elements. Nothing in it is ever taken as HTML, and only web addresses become links and pictures. */
export function Rich({ text }: { text: string }) {
  return <>{lexer(text).map(block)}</>;
}

function safe(address: string): string | undefined {
  const url = URL.parse(address);
  return url && ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : undefined;
}

function picture(address: string): string | undefined {
  return /^data:image\/(png|jpeg|gif|webp);base64,/.test(address) ? address : safe(address);
}

function inside(token: Token, fallback = ''): ComponentChildren {
  return 'tokens' in token && token.tokens ? token.tokens.map(inline) : fallback;
}

function block(token: Token, key: number): ComponentChildren {
  switch (token.type) {
    case 'space':
      return null;
    case 'heading':
      return <h2 key={key}>{inside(token)}</h2>;
    case 'code':
      return (
        <pre key={key}>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case 'blockquote':
      return <blockquote key={key}>{((token as Tokens.Blockquote).tokens ?? []).map(block)}</blockquote>;
    case 'hr':
      return <hr key={key} />;
    case 'list': {
      const { ordered, items } = token as Tokens.List;
      const entries = items.map((item, i) => <li key={i}>{item.tokens.map(block)}</li>);
      return ordered ? <ol key={key}>{entries}</ol> : <ul key={key}>{entries}</ul>;
    }
    case 'table':
      return (
        <pre key={key}>
          <code>{token.raw}</code>
        </pre>
      );
    case 'text':
      return <span key={key}>{inside(token, (token as Tokens.Text).text)}</span>;
    default:
      return <p key={key}>{inside(token, token.raw)}</p>;
  }
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
      return inside(token, (token as Tokens.Text).text);
    default:
      return token.raw;
  }
}
