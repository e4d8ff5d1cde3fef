import { type BuildOptions, build } from 'esbuild';

/** How the Worker becomes one file: for the package, for the tests and for the benchmark. */
export const workerOptions = {
  entryPoints: ['src/worker.ts'],
  bundle: true,
  format: 'esm' as const,
  target: 'es2024',
  conditions: ['workerd', 'worker'],
  external: ['cloudflare:*'],
  minify: true,
  legalComments: 'none' as const,
} satisfies BuildOptions;

/** Bundles the Worker from the sources. The pages have to be built before. */
export async function bundleWorker(): Promise<string> {
  const { outputFiles } = await build({ ...workerOptions, write: false });
  return outputFiles[0]?.text ?? '';
}
