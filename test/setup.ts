import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { debian } from './debian.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Recorded upstream streams by path below the transcripts folder; empty where the folder is missing. */
    transcripts: Record<string, string>;
    /** Cases of each property test: few in the normal run, many in the long one. */
    fuzzRuns: number;
  }
}

const folder = fileURLToPath(new URL('../../shared/transcripts/', import.meta.url));

/** What tests need of Debian is installed before they start, one after the other. */
const needed = [
  ['/usr/bin/redis-server', 'redis-server'],
  ['/usr/bin/chromium', 'chromium'],
  ['/usr/sbin/nginx', 'nginx-light'],
  ['/usr/bin/caddy', 'caddy'],
] as const;

/** Installs what is missing, builds the pages, and reads the recorded streams once, so that tests in workerd, which has no files, see them too. */
export default async function setup(project: TestProject): Promise<void> {
  for (const [path, name] of needed) debian(path, name);
  // As they stand in the sources now, whatever was built before.
  execFileSync(process.execPath, ['scripts/build.ts', 'pages']);
  const transcripts: Record<string, string> = {};
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  for (const name of names.filter((n) => /\.(sse|json|jsonl|md)$/.test(n))) {
    transcripts[name] = await readFile(folder + name, 'utf8');
  }
  project.provide('transcripts', transcripts);
  project.provide('fuzzRuns', Number(process.env.FUZZ_RUNS ?? 5000));
}
