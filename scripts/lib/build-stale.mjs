// @ts-check
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inputsOf, isFresh, writeStamp } from './build-stamp.mjs';
import { findTool, runTool } from './build-tool.mjs';
import { readPackages } from './packages.mjs';
import { Problem } from './problem.mjs';
import { ProcessLock } from './process-lock.mjs';

/** @import { Package } from './packages.mjs' */

const NOT_WRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC']);

/**
 * Builds the packages whose output does not belong to their sources, one process at a time.
 *
 * @param {string} root
 * @returns {Promise<string[]>} the names of what was built
 */
export async function buildStale(root) {
  if (!existsSync(join(root, 'node_modules'))) {
    throw new Problem('The dependencies are not installed; run `npm ci` first.');
  }
  const packages = readPackages(root);
  if (stalePackages(root, packages).length === 0) return [];
  try {
    return await buildLocked(root, packages);
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === undefined || !NOT_WRITABLE.has(code)) throw error;
    throw new Problem(`The build cannot be written: ${message}.`);
  }
}

/**
 * @param {string} root
 * @param {Package[]} packages
 */
async function buildLocked(root, packages) {
  for (const unit of stalePackages(root, packages)) toolOf(root, unit);
  const lock = await ProcessLock.acquire(join(root, '.cache', 'build-lock'), (pid) =>
    console.log(`Process ${pid} is building this checkout; waiting for it to finish.`),
  );
  try {
    // Asked again: the process that was waited for has built some or all of it.
    const stale = stalePackages(root, packages);
    if (stale.length === 0) return [];
    const names = stale.map(({ name }) => name);
    const started = performance.now();
    console.log(`Building ${names.join(', ')} …`);
    for (const unit of stale) {
      const inputs = inputsOf(root, unit);
      await runTool(unit, toolOf(root, unit), (pid) => lock.addWriter(pid));
      writeStamp(root, unit, inputs);
    }
    console.log(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
    return names;
  } finally {
    lock.release();
  }
}

/**
 * @param {string} root
 * @param {Package[]} packages
 */
function stalePackages(root, packages) {
  return packages.filter((unit) => !isFresh(root, unit));
}

/**
 * @param {string} root
 * @param {Package} unit
 */
function toolOf(root, unit) {
  const script = findTool(unit);
  if (script !== undefined) return script;
  throw new Problem(
    `${relative(root, unit.dir)} has to be built and its build tool ${unit.tool} is not installed (NODE_ENV=production leaves build tools out); run \`npm ci --include=dev\`.`,
  );
}
