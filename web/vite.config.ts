import { fileURLToPath } from 'node:url';
import type { InlineConfig } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The pages a person opens in a browser. `scripts/build.ts` makes one module of what comes out, which every runtime serves from. */
export default {
  root: at('.'),
  configFile: false,
  // Relative, so that the pages work below a path of a proxy in front.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    modulePreload: false,
    rollupOptions: {
      input: ['balance', 'play', 'doctor', 'other-origin'].map((page) => at(`./${page}.html`)),
    },
  },
} satisfies InlineConfig;
