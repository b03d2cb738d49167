// @ts-check
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildStale } from './build-stale.mjs';
import { Problem } from './problem.mjs';

/**
 * Builds what is stale and becomes the server: in this process, so that signals and the exit code
 * are the server's own.
 *
 * @param {string} root
 */
export async function startServer(root) {
  await buildStale(root);
  const server = join(root, 'packages', 'support-agent', 'dist', 'main.js');
  try {
    await import(pathToFileURL(server).href);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    const missing = /^Cannot find package '([^']+)'/.exec(message)?.[1];
    if (code !== 'ERR_MODULE_NOT_FOUND' || missing === undefined) throw error;
    throw new Problem(`The dependency ${missing} is not installed; run \`npm ci\`.`);
  }
}
