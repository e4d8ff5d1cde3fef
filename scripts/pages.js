/**
 * Builds the pages of `web/`. `npm start` calls it with `--if-missing`, for a fresh clone. Without the pages the
 * gateway runs all the same. In plain JavaScript: the machine's Node may be too old for the rest.
 */
import { existsSync } from 'node:fs';

const at = (path) => new URL(path, import.meta.url);
const isInstalled = existsSync(at('../node_modules/vite'));
const isNeeded = process.argv[2] !== '--if-missing' || !existsSync(at('../dist/pages/files.js'));

if (isNeeded && isInstalled) {
  process.argv[2] = 'pages';
  import('./run.js').then(({ run }) => run('build'));
} else if (isNeeded) {
  process.stderr.write('sluice: the dependencies are not installed. Run this first: npm install\n');
  process.exitCode = process.argv[2] === '--if-missing' ? 0 : 1;
}
