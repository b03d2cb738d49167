// @ts-check
import { runCommand } from './lib/run-command.mjs';

await runCommand(async (root) => {
  const { startServer } = await import('./lib/start-server.mjs');
  await startServer(root);
});
