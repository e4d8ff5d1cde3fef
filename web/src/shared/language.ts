export type Language = 'en' | 'zh';

const remembered = 'sluice-language';

/** The language of the pages: what was chosen here before, else what the browser asks for. Nothing else is ever stored. */
export function firstLanguage(): Language {
  const chosen = localStorage.getItem(remembered);
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(remembered, language);
}
