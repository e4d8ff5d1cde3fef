/**
 * What `npm install` ends with in a checkout: the pages are built, where what builds them is there. Without it the gateway runs all the same, and says at
 * its pages what is missing. In plain JavaScript, since the machine's own Node may be too old for the rest.
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
