import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const dockerfile = readFileSync('Dockerfile', 'utf8');

test('the linter finds no fault in the Dockerfile', () => {
  expect(validate(dockerfile)).toEqual([]);
});

test('the image installs exactly what the lock file says', () => {
  const installs = dockerfile.split('\n').filter((line) => /^RUN npm (ci|i|install|add)\b/.test(line));
  expect(installs.length).toBeGreaterThan(0);
  expect(installs.filter((line) => !line.startsWith('RUN npm ci '))).toEqual([]);
});

test.runIf(existsSync('/usr/bin/systemd-analyze'))('systemd finds no fault in the unit', () => {
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', 'deploy/sluice.service'], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
});

test.runIf(existsSync('/usr/bin/systemd-analyze'))('the systemd unit is exposed less than 2.5 of 10', () => {
  const { stdout } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', 'deploy/sluice.service'],
    { encoding: 'utf8' },
  );
  expect(Number(/exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2.5);
});

test('the chat UI and Redis are behind passwords, and no image is the newest one of its name', () => {
  const { services, networks } = parse(readFileSync('compose.chat.yaml', 'utf8'));
  expect(services.chat.environment.CODE).toMatch(/^\$\{CHAT_CODE:\?/);
  expect(services.sluice.environment.REDIS_URL).toMatch(/^redis:\/\/:\$\{REDIS_PASSWORD:\?/);
  expect(services.redis.command.join('\n')).toContain('requirepass %s');
  expect(services.redis.networks).toEqual(['back']);
  expect(networks.back.internal).toBe(true);
  for (const { image } of [services.chat, services.redis]) expect(image).toMatch(/:v?\d+\.\d/);
});

test('the compose files name what exists, and only the data folder is writable', () => {
  const alone = parse(readFileSync('compose.yaml', 'utf8')).services.sluice;
  expect(alone).toMatchObject({ read_only: true, cap_drop: ['ALL'], volumes: ['sluice:/data'] });
  const { services } = parse(readFileSync('compose.chat.yaml', 'utf8'));
  expect(services.sluice.extends).toEqual({ file: 'compose.yaml', service: 'sluice' });
  expect(services.chat.environment.BASE_URL).toBe('http://sluice:8080');
  expect(dockerfile).toContain('EXPOSE 8080');
});
