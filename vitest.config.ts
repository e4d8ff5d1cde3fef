import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** Tests that need Node itself: its sockets, its files, its processes. Everything else runs in both. */
const nodeOnly = ['src/platform/node/**', 'src/cli/**', 'src/node.test.ts', 'src/**/*.node.test.ts'];

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'web/**/*.test.ts'],
          exclude: ['src/platform/workers/**'],
        },
      },
      {
        extends: true,
        plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.jsonc' } })],
        test: { name: 'workers', include: ['src/**/*.test.ts'], exclude: nodeOnly },
      },
    ],
  },
});
