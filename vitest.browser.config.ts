import { defineConfig } from 'vitest/config';
import sources from './vitest.config.ts';

/** Tests of the built pages in a real browser; some run the server, from its sources, in their own process. */
export default defineConfig({
  plugins: sources.plugins ?? [],
  resolve: sources.resolve ?? {},
  test: {
    include: ['tests/browser/*.test.ts'],
    globalSetup: 'tests/browser/support/built-pages.ts',
    // Against hangs only: no test asks how fast the machine is.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
