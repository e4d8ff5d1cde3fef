import './style.css';
import { type ComponentType, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { firstLanguage, type Language, rememberLanguage } from './language.ts';

const pages = {
  balance: { en: 'Balances', zh: '余额' },
  play: { en: 'Playground', zh: '试用' },
  doctor: { en: 'Doctor', zh: '诊断' },
} as const;

/** Shows a page in the language of the reader, below links to the other pages. */
export function show(name: keyof typeof pages, Content: ComponentType<{ language: Language }>): void {
  const Page = () => {
    const [language, setLanguage] = useState(firstLanguage);
    useEffect(() => {
      document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
      document.title = `${pages[name][language]} · sluice`;
    }, [language]);
    const other = language === 'zh' ? 'en' : 'zh';
    return (
      <>
        <header>
          <strong>
            <a href="./">sluice</a>
          </strong>
          <nav aria-label={language === 'zh' ? '页面' : 'Pages'}>
            {Object.entries(pages).map(([path, title]) => (
              <a key={path} href={`./${path}`} aria-current={path === name ? 'page' : undefined}>
                {title[language]}
              </a>
            ))}
          </nav>
          <button
            type="button"
            class="plain"
            lang={other === 'zh' ? 'zh-CN' : 'en'}
            onClick={() => {
              rememberLanguage(other);
              setLanguage(other);
            }}
          >
            {other === 'zh' ? '中文' : 'English'}
          </button>
        </header>
        <main>
          <h1>{pages[name][language]}</h1>
          <Content language={language} />
        </main>
      </>
    );
  };
  render(<Page />, document.getElementById('page') as HTMLElement);
}
