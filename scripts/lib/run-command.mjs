// @ts-check
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Problem } from './problem.mjs';

/**
 * Runs a command of this repository. A {@link Problem} becomes its message on stderr and exit
 * code 1; any other error is a defect and keeps its stack.
 *
 * A command imports its own modules inside `body`, after the check of Node's version, so that an
 * old Node gets the sentence and not a syntax error. This file and `problem.mjs` are the only ones
 * that an old Node has to parse.
 *
 * @param {(root: string) => Promise<void>} body
 */
export async function runCommand(body) {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  try {
    checkNode(root);
    await body(root);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/** @param {string} root */
function checkNode(root) {
  const { engines } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const wanted = engines.node.replace('>=', '');
  if (isOlder(process.versions.node, wanted)) {
    throw new Problem(
      `Holdfast needs Node ${wanted} or newer and this is Node ${process.versions.node}; install a newer one from https://nodejs.org.`,
    );
  }
}

/**
 * @param {string} version
 * @param {string} wanted
 */
function isOlder(version, wanted) {
  const have = version.split('.').map(Number);
  const want = wanted.split('.').map(Number);
  const at = have.findIndex((part, index) => part !== want[index]);
  return at !== -1 && Number(have[at]) < Number(want[at]);
}
