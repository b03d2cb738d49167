import { defineConfig } from 'tsdown';

/** One bundle per export of package.json and one for its command line. What they import from npm stays so. */
export default defineConfig({
  entry: [
    'src/cli.ts',
    'src/index.ts',
    'src/memory.ts',
    'src/redis.ts',
    'src/encryption.ts',
    'src/http.ts',
    'src/testing.ts',
  ],
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: true,
  skipNodeModulesBundle: true,
  loader: { '.lua': 'text' },
  tsconfig: '../../tsconfig.base.json',
  failOnWarn: true,
});
