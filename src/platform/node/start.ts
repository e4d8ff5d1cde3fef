import type { Log } from '../../ports/log.ts';
import type { Settings } from '../../settings/schema.ts';
import { startProcesses, type WorkerMessage, workerMark } from './cluster/cluster.ts';
import { shareOfProcess } from './cluster/process-share.ts';
import { listenError } from './listen.ts';
import { createLogger } from './logger.ts';
import { readSettings } from './read-settings.ts';
import { onSignals } from './shutdown.ts';

/** A gateway that listens. */
export type Running = {
  readonly url: string;
  /** Refuses new connections, gives open responses `drainTimeout` seconds, then resolves. */
  stop(): Promise<void>;
};

/** Starts one server with valid settings. */
export type Serve = (settings: Settings, secrets: readonly string[]) => Promise<Running>;

type StartOptions = { readonly configPath?: string | undefined; readonly entry: string };

/**
 * Starts the gateway from the environment and the settings file, and stops it on SIGTERM. `entry`
 * is the script that each of several processes runs.
 */
export async function startFrom(env: NodeJS.ProcessEnv, serve: Serve, options: StartOptions): Promise<void> {
  const loaded = await readSettings(env, options);
  if (!loaded.ok) {
    for (const error of loaded.errors) process.stderr.write(`sluice: ${error}\n`);
    process.exitCode = 1;
    return;
  }
  const { settings, secrets } = loaded;
  if (!env[workerMark]) announce(loaded.warnings, settings);
  const log = createLogger(settings.logLevel, secrets);
  // One request that fails in an unforeseen way must not end the others.
  process.on('uncaughtException', (error) =>
    log('error', 'uncaught exception', { error: String(error.stack ?? error) }),
  );
  process.on('unhandledRejection', (error) =>
    log('error', 'unhandled rejection', { error: String((error as Error | null)?.stack ?? error) }),
  );
  try {
    if (settings.workers > 1 && !env[workerMark]) await startSeveral(settings, env, options, log);
    else await startOne(env[workerMark] ? shareOfProcess(settings) : settings, secrets, serve);
  } catch (error) {
    process.stderr.write(`sluice: ${listenError(error as NodeJS.ErrnoException, settings)}\n`);
    process.exitCode = 1;
  }
}

function announce(warnings: readonly string[], settings: Settings): void {
  for (const warning of warnings) process.stderr.write(`sluice: ${warning}\n`);
  if (Object.keys(settings.upstreams).length > 0) return;
  process.stdout.write(
    'No upstream is configured: requests go to the built-in emulator, offline and free. Set OPENAI_API_KEY or OPENAI_BASE_URL for a real one.\n',
  );
}

async function startOne(settings: Settings, secrets: readonly string[], serve: Serve): Promise<void> {
  const running = await serve(settings, secrets);
  if (process.send) {
    process.send({ listening: running.url } satisfies WorkerMessage);
    // Without a parent no signal will come later.
    process.once('disconnect', () => void running.stop().then(() => process.exit(0)));
  } else process.stdout.write(`sluice listening on ${running.url}\n`);
  onSignals(
    () => running.stop(),
    () => {},
  );
}

async function startSeveral(
  settings: Settings,
  env: NodeJS.ProcessEnv,
  { configPath, entry }: StartOptions,
  log: Log,
): Promise<void> {
  const processes = await startProcesses(
    entry,
    settings.workers,
    { ...env, ...(configPath === undefined ? {} : { SLUICE_CONFIG: configPath }) },
    (line) => log('warn', line),
  );
  process.stdout.write(`sluice listening on ${processes.url}\n`);
  onSignals(() => processes.stop('SIGTERM'), processes.kill);
}
