import { defineConfig } from 'tsdown';

/** One bundle per export of package.json. What a bundle imports from npm stays an import. */
export default defineConfig({
  entry: ['index', 'memory', 'redis', 'fingerprint', 'http', 'testing'].map(
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
