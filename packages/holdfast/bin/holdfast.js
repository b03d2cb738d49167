#!/usr/bin/env node
// Not built itself: `npm ci` links only to what is there, and in a clone that comes before the build.
import { existsSync } from 'node:fs';

const commandLine = new URL('../dist/cli.js', import.meta.url);
if (existsSync(commandLine)) {
  await import(commandLine.href);
} else {
  console.error('error: The command line is not built: run `npm run build` first.');
  process.exitCode = 1;
}
