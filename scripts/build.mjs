// @ts-check
import { runCommand } from './lib/run-command.mjs';

await runCommand(async (root) => {
  const { buildStale } = await import('./lib/build-stale.mjs');
  const built = await buildStale(root);
  if (built.length === 0) console.log('Everything is built already.');
});
