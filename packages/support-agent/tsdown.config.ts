import { defineConfig } from 'tsdown';

/**
 * `main` is the server process, `index` the agent for use in code. The base tsconfig, not the root
 * one: its `paths` would pull the library's sources into this bundle.
 */
export default defineConfig({
  entry: ['src/main.ts', 'src/index.ts'],
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  dts: true,
  skipNodeModulesBundle: true,
  tsconfig: '../../tsconfig.base.json',
  failOnWarn: true,
});
