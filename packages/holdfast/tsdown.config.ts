import { defineConfig } from 'tsdown';

/** One bundle per export of package.json and one for its command line. What they import from npm stays so. */
export default defineConfig({
  entry: ['cli', 'index', 'memory', 'redis', 'encryption', 'fingerprint', 'http', 'testing'].map(
    (name) => `src/${name}.ts`,
  ),
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
