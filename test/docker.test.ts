import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { startProcess } from './process.ts';

const dockerfile = readFileSync('Dockerfile', 'utf8');

test('the Dockerfile has no fault that a linter knows', () => {
  expect(validate(dockerfile)).toEqual([]);
});

/** Instructions in order: each its name, and what stands after it. */
const steps = dockerfile
  .split('\n')
  .filter((line) => /^[A-Z]+ /.test(line))
  .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);

/**
 * The stages of the Dockerfile as folders: its COPY and RUN lines are carried out in them as they stand. What only a container has (users, a root of its
 * own) is left out.
 */
function built(): { folder: string; env: Record<string, string>; health: string; entry: string[] } {
  const stages = new Map<string, string>();
  const context = mkdtempSync(join(tmpdir(), 'sluice-context-'));
  // What a clone has, which is what .dockerignore leaves.
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

test('its steps, in a clean folder, give a gateway that is healthy and small', async () => {
  const { folder, env, health, entry } = built();
  const [program, file] = entry as [string, string];
  expect(program).toBe('node');
  const gateway = await startProcess(
    { ...env, HOST: '127.0.0.1', PORT: '0', DATA_DIR: join(folder, 'data') },
    [file.replace('/app', folder)],
  );
  try {
    // The image's own program for it is busybox's wget; what it asks is what matters.
    const asked = health.replace('http://127.0.0.1:8080', gateway.url).replace(/wget -qO-/, 'curl -sf');
    expect(execFileSync('sh', ['-c', asked], { encoding: 'utf8' })).toContain('ok');
    expect((await fetch(`${gateway.url}/balance`)).status).toBe(200);
  } finally {
    gateway.child.kill();
  }
  const kilobytes = Number(execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')[0]);
  expect(kilobytes).toBeLessThan(70_000);
}, 300_000);

test.runIf(existsSync('/usr/bin/systemd-analyze'))('the systemd unit has no fault that systemd knows', () => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', 'deploy/sluice.service'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

test('the compose files name what there is, and let nothing be written but data', () => {
  const alone = parse(readFileSync('compose.yaml', 'utf8')).services.sluice;
  expect(alone).toMatchObject({ read_only: true, cap_drop: ['ALL'], volumes: ['sluice:/data'] });
  const { services } = parse(readFileSync('compose.chat.yaml', 'utf8'));
  expect(services.sluice.extends).toEqual({ file: 'compose.yaml', service: 'sluice' });
  expect(services.chat.environment.BASE_URL).toBe('http://sluice:8080');
  expect(dockerfile).toContain('EXPOSE 8080');
});
