export type Language = 'en' | 'zh';

const remembered = 'sluice-language';

/** The language chosen here before, or that of the browser. Nothing else is stored. */
export function firstLanguage(): Language {
  const chosen = localStorage.getItem(remembered);
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(remembered, language);
}
