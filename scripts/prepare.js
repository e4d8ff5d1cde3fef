/**
 * `npm install` in a checkout ends with this script: it builds the pages, if the development
 * dependencies are installed. Without the pages the gateway runs, and their paths say what is
 * missing. Plain JavaScript, because the Node of the machine may be too old for TypeScript.
 */
import { existsSync } from 'node:fs';

const canBuild =
  Boolean(process.features.typescript) && existsSync(new URL('../node_modules/vite', import.meta.url));

if (canBuild) {
  process.argv[2] = 'pages';
  await import('./build.ts');
} else {
  process.stderr.write(
    'sluice: the pages are not built: that takes the development dependencies, and a Node that reads TypeScript.\n',
  );
}
