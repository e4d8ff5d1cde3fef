import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { bundleWorker } from '../scripts/bundle-worker.ts';
import { debian } from './debian.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Recorded upstream streams by path below the transcripts folder. Empty without the folder. */
    transcripts: Record<string, string>;
    /** The path of the Worker in one file. */
    workerFile: string;
  }
}

const transcriptFolder = fileURLToPath(new URL('../../shared/transcripts/', import.meta.url));

/** Programs that tests need. They are installed one after the other: apt has a lock. */
const programs = [
  ['/usr/bin/redis-server', 'redis-server'],
  ['/usr/bin/chromium', 'chromium'],
  ['/usr/sbin/nginx', 'nginx-light'],
  ['/usr/bin/caddy', 'caddy'],
] as const;

/** What all projects share. It is made once for a run, although each project calls setup. */
const shared = globalThis as typeof globalThis & { sluiceTestSetup?: ReturnType<typeof prepare> };

/**
 * Prepares a run once: installs missing programs, builds the pages and the Worker from the
 * sources, and reads the recorded streams. Tests in workerd have no files, so they get the text.
 */
async function prepare() {
  for (const [path, name] of programs) debian(path, name);
  execFileSync(process.execPath, ['scripts/build.ts', 'pages']);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
  const workerFile = join(folder, 'worker.js');
  writeFileSync(workerFile, await bundleWorker());
  const transcripts: Record<string, string> = {};
  const names = await readdir(transcriptFolder, { recursive: true }).catch(() => []);
  for (const name of names.filter((each) => /\.(sse|json|jsonl|md)$/.test(each))) {
    transcripts[name] = await readFile(transcriptFolder + name, 'utf8');
  }
  return { folder, workerFile, transcripts };
}

/** Runs before the tests of each project. */
export default async function setup(project: TestProject): Promise<() => void> {
  shared.sluiceTestSetup ??= prepare();
  const { folder, workerFile, transcripts } = await shared.sluiceTestSetup;
  project.provide('transcripts', transcripts);
  project.provide('workerFile', workerFile);
  return () => rmSync(folder, { recursive: true, force: true });
}
