import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { luaText } from './scripts/lib/lua-text.mjs';

const library = fileURLToPath(new URL('./packages/holdfast/src/', import.meta.url));

/** Tests run the sources; only the `workspace`, `server` and `deploy` tests build, in a copy of this repository. */
export default defineConfig({
  plugins: [luaText()],
  resolve: {
    alias: [
      { find: /^holdfast$/, replacement: `${library}index.ts` },
      { find: /^holdfast\/(.+)$/, replacement: `${library}$1.ts` },
    ],
  },
  test: {
    // Against hangs only: no test asks how fast the machine is.
    testTimeout: 120_000,
    // By default one core is left idle. Most tests wait for servers and processes of their own.
    maxWorkers: '100%',
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'packages/*/src/**/*.test.{ts,tsx}',
            'bench/**/*.test.ts',
            'examples/*.test.ts',
            'tests/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'workspace',
          include: ['tests/{scripts,workspace}/*.test.ts'],
          globalSetup: 'tests/workspace/built-copy.ts',
          // After the unit tests, whose real timers should not compete with a build.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'server',
          // Built servers, and the built command line, on real Redis processes.
          include: ['tests/{server,cli}/*.test.ts'],
          globalSetup: 'tests/workspace/built-copy.ts',
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'deploy',
          // What is in deploy/: read, checked, and run as processes of this machine.
          include: ['tests/deploy/*.test.ts'],
          // One installs, one starts servers again and again while others keep them busy.
          testTimeout: 600_000,
          globalSetup: 'tests/workspace/built-copy.ts',
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        // Real Redis processes, and programs that start them.
        test: {
          name: 'servers',
          include: ['tests/servers/*.test.ts', 'tests/redis/**/*.test.ts'],
          exclude: [
            'tests/redis/topologies/*-faults.test.ts',
            'tests/redis/topologies/partition.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'topologies',
          include: [
            'tests/redis/topologies/*-faults.test.ts',
            'tests/redis/topologies/partition.test.ts',
          ],
          globalSetup: 'tests/workspace/built-copy.ts',
          // Servers take a busy machine for a dead peer: one file at a time.
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['packages/holdfast/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      reporter: [['text', { skipFull: true }], 'text-summary'],
      thresholds: { lines: 95 },
    },
  },
});
