import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Tests that need Node: its sockets, files or processes. All others run in workerd too. */
const nodeOnly = ['src/platform/node/**', 'src/cli/**', 'src/node.test.ts', 'src/**/*.node.test.ts'];
const long = 'test/**/*.long.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    // Long enough for a machine that is busy with something else.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 20_000 } },
    // Most tests wait for sockets and processes, so more files than cores run at the same time.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/**/*.test.ts'],
          exclude: ['src/platform/workers/**', long],
        },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.jsonc' } })],
        // One runtime for all files: starting one for each takes longer than the tests.
        test: { name: 'workers', include: ['src/**/*.test.ts'], exclude: nodeOnly, isolate: false },
      },
      {
        // `npm run test:long`: slow tests, and the short ones of which it runs more cases.
        extends: true,
        test: {
          name: 'long',
          include: [
            long,
            'test/fuzz.test.ts',
            'test/transfer-model.test.ts',
            'test/pages.test.ts',
            'test/browser.test.ts',
          ],
          env: { TEST_LONG: '1', FUZZ_CASES: '100000' },
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
