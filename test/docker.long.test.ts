import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { startProcess } from './process.ts';

const dockerfile = readFileSync('Dockerfile', 'utf8');

/** Instructions in order: the name and the rest of the line. */
const steps = dockerfile
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);

/**
 * Carries out the COPY and RUN lines of the Dockerfile. A folder stands for each stage.
 * What only a container has (users, a root folder) is left out.
 */
function built(): { folder: string; env: Record<string, string>; health: string; entry: string[] } {
  const stages = new Map<string, string>();
  const context = mkdtempSync(join(tmpdir(), 'sluice-context-'));
  // The files of a clone. .dockerignore leaves the same.
  for (const name of execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
    .trim()
    .split('\n')) {
    mkdirSync(dirname(join(context, name)), { recursive: true });
    cpSync(name, join(context, name));
  }
  const result = { folder: '', env: {} as Record<string, string>, health: '', entry: [] as string[] };
  for (const [instruction, rest] of steps) {
    if (instruction === 'FROM') {
      result.folder = mkdtempSync(join(tmpdir(), 'sluice-stage-'));
      stages.set(/ AS (\w+)$/.exec(rest)?.[1] ?? 'last', result.folder);
    } else if (instruction === 'ENV') {
      for (const [, name, value] of rest.matchAll(/(\w+)=(\S+)/g))
        result.env[name as string] = value as string;
    } else if (instruction === 'COPY') {
      const stage = /^--from=(\w+) /.exec(rest)?.[1];
      const paths = rest.replace(/^--from=\w+ /, '').split(' ');
      const target = join(result.folder, paths.pop() as string);
      const from = stage ? (stages.get(stage) as string) : context;
      for (const path of paths.map((each) => each.replace(/^\/app\//, ''))) {
        const isFolder = paths.length === 1 && !/\.\w+$/.test(path);
        cpSync(join(from, path), isFolder ? target : join(target, path), { recursive: true });
      }
    } else if (instruction === 'RUN' && !rest.startsWith('mkdir /data')) {
      execFileSync('sh', ['-c', rest], { cwd: result.folder, stdio: 'ignore' });
    } else if (instruction === 'HEALTHCHECK') result.health = /CMD (.*)$/.exec(rest)?.[1] ?? '';
    else if (instruction === 'ENTRYPOINT') result.entry = JSON.parse(rest) as string[];
  }
  return result;
}

test('the steps of the Dockerfile, in a clean folder, give a small and healthy gateway', async () => {
  const { folder, env, health, entry } = built();
  const [program, file] = entry as [string, string];
  expect(program).toBe('node');
  const gateway = await startProcess(
    { ...env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: join(folder, 'data') },
    [file.replace('/app', folder)],
  );
  try {
    // The image asks with busybox's wget. Only the URL matters here.
    const command = health.replace('http://127.0.0.1:8080', gateway.url).replace(/wget -qO-/, 'curl -sf');
    expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toContain('ok');
    expect((await fetch(`${gateway.url}/balance`)).status).toBe(200);
  } finally {
    gateway.child.kill();
  }
  const kilobytes = Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
  expect(kilobytes).toBeLessThan(70_000);
}, 300_000);
