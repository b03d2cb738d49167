import { defineConfig } from 'tsdown';

/** The library stays an import: what is measured is what users get. */
export default defineConfig({
  entry: ['src/run.ts', 'src/worker.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: false,
  skipNodeModulesBundle: true,
  tsconfig: '../tsconfig.base.json',
  failOnWarn: true,
  logLevel: 'warn',
});
