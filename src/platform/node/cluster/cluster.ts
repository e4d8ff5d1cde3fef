import { type ChildProcess, fork } from 'node:child_process';
import { gatherFor } from './metrics-ipc.ts';

/** What a worker process tells its parent. */
export type WorkerMessage = { readonly listening: string };

/** By this name in its environment a process knows that it is one of several. */
export const workerMark = 'SLUICE_WORKER';

const firstPauseMs = 100;
const maxPauseMs = 5000;
/** One that lived so long died of something new. */
const settledMs = 30_000;

export type Processes = { readonly url: string; stop(signal: NodeJS.Signals): Promise<void>; kill(): void };

/**
 * Starts so many processes that share a port (SO_REUSEPORT: the kernel divides the connections), and starts each again that dies. The first
 * one picks the port where none is set. Rejects where it cannot listen.
 */
export async function startProcesses(
  entry: string,
  count: number,
  env: NodeJS.ProcessEnv,
  told: (line: string) => void,
): Promise<Processes> {
  const children = new Set<ChildProcess>();
  let stopping = false;

  const launch = (port: string | undefined, pauseMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = fork(entry, [], {
        env: { ...env, [workerMark]: '1', ...(port === undefined ? {} : { PORT: port }) },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      const startedAt = Date.now();
      let own = port;
      children.add(child);
      gatherFor(child, children);
      const heard = ({ listening }: Partial<WorkerMessage>): void => {
        if (listening === undefined) return;
        child.off('message', heard);
        own = new URL(listening).port;
        resolve(listening);
      };
      child.on('message', heard);
      child.once('exit', (code, signal) => {
        children.delete(child);
        reject(new Error(`a process ended with ${signal ?? code} before it listened`));
        if (stopping || own === undefined) return;
        const pause = Date.now() - startedAt > settledMs ? firstPauseMs : pauseMs;
        told(`a worker process ended with ${signal ?? `code ${code}`}; another one is started`);
        setTimeout(() => {
          if (!stopping) launch(own, Math.min(pause * 2, maxPauseMs)).catch(() => {});
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
      const gone = [...children].map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill(signal);
      await Promise.all(gone);
    },
    kill() {
      stopping = true;
      for (const child of children) child.kill('SIGKILL');
    },
  };
}
