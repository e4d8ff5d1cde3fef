import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build } from 'esbuild';
import { buildPages } from './build-pages.ts';

/**
 * `npm run build`: everything that is made for places that cannot run the sources. `node scripts/build.ts pages` makes the pages alone, which is what
 * a checkout needs to run.
 *
 * - `dist/pages/files.js`      the pages of `web/`
 * - `dist/node/cli.js`         the command and the gateway for Node, for the package: Node strips no types below `node_modules`
 * - `dist/sluice.worker.js`    relay, conversion and pages in one file, to paste into the editor of Cloudflare's dashboard
 * - `dist/cloudflare-pages/`   the same as Cloudflare Pages' `_worker.js`
 */
const worker = {
  entryPoints: ['src/worker.ts'],
  bundle: true,
  format: 'esm' as const,
  target: 'es2024',
  conditions: ['workerd', 'worker'],
  external: ['cloudflare:*'],
  minify: true,
  legalComments: 'none' as const,
} satisfies BuildOptions;

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
    // The tokenizer's package holds every table there ever was; the one that is used goes into a file of its own.
    external: Object.keys(dependencies).filter((name) => name !== 'gpt-tokenizer'),
  });
  const banner = `// ${name} ${version}, ${license}. Settings: docs/settings.md, as variables and secrets of the Worker.`;
  await build({ ...worker, banner: { js: banner }, outfile: 'dist/sluice.worker.js' });
  mkdirSync('dist/cloudflare-pages', { recursive: true });
  cpSync('dist/sluice.worker.js', 'dist/cloudflare-pages/_worker.js');
  // Pages serves no file of its own: every request is the worker's.
  writeFileSync('dist/cloudflare-pages/_routes.json', '{"version":1,"include":["/*"],"exclude":[]}\n');
}
