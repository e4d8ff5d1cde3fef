import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';

/** A Node of this machine that is older than the project's; undefined if there is none. */
const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((file) => {
    if (!existsSync(file)) return false;
    const version = spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout;
    return Number(/^v(\d+)/.exec(version)?.[1] ?? 99) < 24;
  });

/** A fresh clone: what git has, without dependencies. */
function clone(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-clone-'));
  for (const name of ['bin', 'scripts', 'src', 'web', 'package.json'])
    cpSync(name, join(folder, name), { recursive: true });
  return folder;
}

function run(node: string, args: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(node, args, { cwd, encoding: 'utf8', timeout: 20_000 });
  return { status, text: (stdout + stderr).trim() };
}

const commands = [['--version'], ['--help'], ['check'], ['import', '.'], ['doctor'], ['schema'], []];

test.runIf(oldNode).each(commands)('on an old Node, "sluice %s" says in one line what to do', (...args) => {
  const { status, text } = run(oldNode ?? '', ['bin/sluice.js', ...args], clone());
  expect(status).toBe(1);
  expect(text).toMatch(
    /^sluice: Node \d+\.\d+\.\d+ is too old\. .*npm install.* Node 24 or newer: https:\S+$/,
  );
});

test.runIf(oldNode)('on an old Node, an installed package says it too, without "npm install"', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  cpSync('bin', join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'dist/node'), { recursive: true });
  cpSync('package.json', join(folder, 'package.json'));
  const { status, text } = run(oldNode ?? '', ['bin/sluice.js', '--version'], folder);
  expect([status, text]).toEqual([
    1,
    expect.stringMatching(/is too old\. Install Node 24 or newer: https:\S+$/),
  ]);
});

test.runIf(oldNode)('on an old Node, a checkout runs with the Node of its dependencies', () => {
  expect(run(oldNode ?? '', ['bin/sluice.js', '--version'], '.')).toEqual({
    status: 0,
    text: (JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version,
  });
});

test.each([
  ['start', ['bin/sluice.js']],
  ['run build', ['scripts/run.js', 'build']],
  ['run pages (wrangler)', ['scripts/pages.js']],
])('in a fresh clone, npm %s says "npm install" and nothing else', (_, args) => {
  const { status, text } = run(process.execPath, args, clone());
  expect([status, text]).toEqual([
    1,
    'sluice: the dependencies are not installed. Run this first: npm install',
  ]);
});

test('the scripts of package.json start with plain JavaScript where a fresh clone uses them', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  for (const name of ['prestart', 'start', 'build', 'pages', 'prepack', 'predev'])
    expect(scripts[name], name).toMatch(/^node (bin|scripts)\/[\w-]+\.js/);
  // npm warns of install scripts of a package, and "prepare" would be one.
  expect(Object.keys(scripts)).not.toContain('prepare');
});
