import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { buildPages } from './build-pages.ts';
import { workerOptions } from './bundle-worker.ts';

/**
 * `npm run build` makes what runs in places that cannot run the sources.
 * `node scripts/build.ts pages` makes the pages only. A checkout needs nothing else.
 *
 * - `dist/pages/files.js`      the pages of `web/`
 * - `dist/node/cli.js`         the command and the gateway for Node, for the package:
 *                              Node does not strip types below `node_modules`
 * - `dist/sluice.worker.js`    relay, conversion and pages in one file, to paste into the
 *                              editor of Cloudflare's dashboard
 * - `dist/cloudflare-pages/`   the same file as the `_worker.js` of Cloudflare Pages
 */
await buildPages();
if (process.argv[2] !== 'pages') {
  const { name, version, license, dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    name: string;
    version: string;
    license: string;
    dependencies: Record<string, string>;
  };
  rmSync('dist/node', { recursive: true, force: true });
  await build({
    entryPoints: { cli: 'src/cli/main.ts', main: 'src/main.ts' },
    outdir: 'dist/node',
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // The tokenizer's package holds many tables. Only the one that is used is bundled.
    external: Object.keys(dependencies).filter((name) => name !== 'gpt-tokenizer'),
  });
  const banner = `// ${name} ${version}, ${license}. Settings are variables and secrets: docs/settings.md`;
  await build({ ...workerOptions, banner: { js: banner }, outfile: 'dist/sluice.worker.js' });
  mkdirSync('dist/cloudflare-pages', { recursive: true });
  cpSync('dist/sluice.worker.js', 'dist/cloudflare-pages/_worker.js');
  // Every request goes to the worker: Pages serves no static file here.
  writeFileSync('dist/cloudflare-pages/_routes.json', '{"version":1,"include":["/*"],"exclude":[]}\n');
}
