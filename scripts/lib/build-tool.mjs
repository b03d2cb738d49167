// @ts-check
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Problem } from './problem.mjs';

/** @import { Package } from './packages.mjs' */

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/**
 * The script to run for a package's build tool: from the nearest `node_modules` above the package,
 * as npm's own scripts would find it.
 *
 * @param {Package} unit
 */
export function findTool(unit) {
  for (let dir = unit.dir; ; dir = dirname(dir)) {
    const home = join(dir, 'node_modules', unit.tool);
    if (existsSync(join(home, 'package.json'))) {
      const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
      return join(home, typeof bin === 'string' ? bin : bin[unit.tool]);
    }
    if (dir === dirname(dir)) return undefined;
  }
}

/**
 * Runs a package's build, silent unless it fails. NODE_ENV is always `production`, so that what
 * is built does not depend on who asks. A signal to this process ends the tool too, at once: a
 * build without its stamp is stale anyhow.
 *
 * @param {Package} unit
 * @param {string} script
 * @param {(pid: number) => void} onStart
 */
export async function runTool(unit, script, onStart) {
  const child = spawn(process.execPath, [script, ...unit.args], {
    cwd: unit.dir,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {Buffer[]} */
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  /** @param {NodeJS.Signals} signal */
  const die = (signal) => {
    child.kill('SIGKILL');
    process.removeListener(signal, die);
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, die);
  try {
    if (child.pid !== undefined) onStart(child.pid);
    const outcome = await new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(signal ?? code));
    });
    if (outcome === 0) return;
    const said = Buffer.concat(output).toString().trim();
    throw new Problem(`Building ${unit.name} failed (${unit.tool}: ${outcome}).\n${said}`);
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, die);
  }
}
