import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, type TestContext, test } from 'vitest';
import { loadSettings } from '../src/settings/load.ts';
import { describeSettings } from '../src/settings/schema.ts';
import { backendUpstream, openaiUpstream } from '../src/settings/upstream-schema.ts';
import { startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';
import { startRawUpstream } from './raw-upstream.ts';
import { type Bench, effects, type RuntimeName } from './settings-effects.ts';

/** Every setting, those of an upstream included. */
const settings = [
  ...describeSettings().map(({ key }) => key),
  ...Object.keys({ ...openaiUpstream.entries, ...backendUpstream.entries })
    .filter((field) => field !== 'kind')
    .map((field) => `upstreams.${field}`),
];

/** Starts what a row needs, and stops it at the end of the test. */
function benchOn(
  start: (env: Record<string, string>) => Promise<Running>,
  { onTestFinished }: TestContext,
): Bench {
  return {
    async upstream(scripts) {
      const upstream = await startRawUpstream(scripts);
      onTestFinished(() => upstream.stop());
      return upstream;
    },
    async gateway(env) {
      const gateway = await start({ DRAIN_TIMEOUT: '0', ...env });
      onTestFinished(() => gateway.stop());
      return gateway;
    },
    async emulator() {
      const emulator = await startEmulator();
      onTestFinished(() => emulator.stop());
      return emulator;
    },
    fullListener: () => fullListener(onTestFinished),
  };
}

/** Listens without accepting and fills its queue, so the kernel drops further connections. */
async function fullListener(onTestFinished: TestContext['onTestFinished']): Promise<string> {
  const script = `my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0) or die;
    $| = 1; print $s->sockport, "\\n"; sleep 600;`;
  const child = spawn('perl', ['-MIO::Socket::INET', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve) =>
    createInterface(child.stdout).once('line', (line) => resolve(Number(line))),
  );
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    child.kill();
  });
  for (let open = true; open; ) {
    open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      sockets.push(socket);
      setTimeout(() => resolve(false), 500);
    });
  }
  return `http://127.0.0.1:${port}`;
}

describe('the table of settings and effects', () => {
  test('has a row for every setting, and no other', () => {
    expect(Object.keys(effects).sort()).toEqual([...settings].sort());
  });

  test('shows each effect, or names a test that does', () => {
    const wrong = Object.entries(effects).flatMap(([key, { shows, shownBy }]) => {
      if (shows) return [];
      if (!shownBy) return [`${key} has neither`];
      const [file, words] = shownBy;
      return readFileSync(file, 'utf8').includes(words) ? [] : [`${file} does not contain ${words}`];
    });
    expect(wrong).toEqual([]);
  });
});

describe.each(runtimes)('on $name', ({ name, start }) => {
  const rows = Object.entries(effects).flatMap(([key, effect]) => {
    const runs = effect.runs ?? (effect.onlyOn ? [effect.onlyOn] : ['node', 'workerd']);
    return effect.shows && runs.includes(name as RuntimeName)
      ? [{ key, ...effect, shows: effect.shows }]
      : [];
  });
  // Rows mostly wait, and each has its own upstream and gateway.
  describe.concurrent('a setting has an effect', () => {
    for (const { key, shows, fails } of rows) {
      const reason = fails?.[name as RuntimeName];
      const run = (context: TestContext) => shows(benchOn(start, context));
      // If this one passes, the row's `fails` is out of date.
      if (reason) test.fails(`${key}: not yet, because ${reason}`, run);
      else test(key, run);
    }
  });
});

describe('a setting that has an effect on one runtime only', () => {
  const rows = describeSettings().flatMap((about) => {
    const only = effects[about.key]?.onlyOn;
    if (!only || !about.env || about.form === 'list') return [];
    const form = /^HTTPS?_PROXY$/.test(about.env) ? ('proxy' as const) : about.form;
    return [{ ...about, env: about.env, form, only }];
  });
  const sample = {
    ...{ number: '7', bytes: '7', flag: 'true', list: 'a', text: 'redis://localhost:6379' },
    proxy: 'http://127.0.0.1:3128',
  };

  test.each(rows)('$key warns at start elsewhere, and the docs say so', ({ env, form, only, docs }) => {
    const own: Record<string, string> = { METRICS_KEY: 'metrics-key-0123456789', WATCH: 'whole' };
    const value = { [env]: own[env] ?? sample[form ?? 'text'] };
    const load = (platform: 'node' | 'workers') => {
      const loaded = loadSettings({ env: value, platform });
      return loaded.ok ? loaded.warnings.join('\n') : loaded.errors.join('\n');
    };
    const [here, elsewhere] =
      only === 'node' ? (['node', 'workers'] as const) : (['workers', 'node'] as const);
    expect(load(elsewhere)).toContain(`${env}: has no effect`);
    expect(load(here)).not.toContain(`${env}: has no effect`);
    expect(docs).toMatch(only === 'node' ? /Node only\.|Not on Workers/ : /Workers only\./);
  });
});
