import { type ChildProcess, fork } from 'node:child_process';
import { createCountsGatherer } from './metrics-ipc.ts';

/** What a worker process sends to its parent. */
export type WorkerMessage = { readonly listening: string };

/** The environment variable that marks one of several processes. */
export const workerMark = 'SLUICE_WORKER';

const firstPauseMs = 100;
const maxPauseMs = 5000;
/** A process that lived this long is restarted after the shortest pause. */
const settledMs = 30_000;

export type Processes = { readonly url: string; stop(signal: NodeJS.Signals): Promise<void>; kill(): void };

/**
 * Starts several processes that share a port (SO_REUSEPORT: the kernel divides the connections),
 * and restarts each that dies. The first one picks the port if none is set. Rejects if it cannot
 * listen.
 */
export async function startProcesses(
  entry: string,
  count: number,
  env: NodeJS.ProcessEnv,
  warn: (line: string) => void,
): Promise<Processes> {
  const children = new Set<ChildProcess>();
  const counts = createCountsGatherer();
  let stopping = false;

  const launch = (port: string | undefined, pauseMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = fork(entry, [], {
        env: { ...env, [workerMark]: '1', ...(port === undefined ? {} : { PORT: port }) },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      const startedAt = performance.now();
      let boundPort = port;
      children.add(child);
      counts.add(child);
      const onListening = ({ listening }: Partial<WorkerMessage>): void => {
        if (listening === undefined) return;
        child.off('message', onListening);
        boundPort = new URL(listening).port;
        resolve(listening);
      };
      child.on('message', onListening);
      child.once('exit', (code, signal) => {
        children.delete(child);
        reject(new Error(`a process ended with ${signal ?? code} before it listened`));
        if (stopping || boundPort === undefined) return;
        const pause = performance.now() - startedAt > settledMs ? firstPauseMs : pauseMs;
        warn(`a worker process ended with ${signal ?? `code ${code}`}; another one is started`);
        setTimeout(() => {
          if (!stopping) launch(boundPort, Math.min(pause * 2, maxPauseMs)).catch(() => {});
        }, pause);
      });
    });

  const url = await launch(undefined, firstPauseMs);
  const { port } = new URL(url);
  await Promise.all(Array.from({ length: count - 1 }, () => launch(port, firstPauseMs)));
  return {
    url,
    async stop(signal) {
      stopping = true;
      const exits = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill(signal);
      await Promise.all(exits);
    },
    kill() {
      stopping = true;
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
