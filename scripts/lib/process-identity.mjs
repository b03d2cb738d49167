// @ts-check
import { readFileSync } from 'node:fs';

/**
 * A process by its number and, where the system tells it, its start time: numbers come back, in a
 * container after every restart.
 *
 * @typedef {{ pid: number, started: string }} ProcessIdentity
 */

/**
 * @param {number} pid
 * @returns {ProcessIdentity}
 */
export function identityOf(pid) {
  return { pid, started: readStat(pid)?.started ?? '' };
}

/**
 * Whether exactly this process still runs. A zombie does not: it only waits to be reaped.
 *
 * @param {ProcessIdentity} identity
 */
export function isAlive({ pid, started }) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return false;
  }
  const stat = readStat(pid);
  return stat === undefined || (stat.started === started && stat.state !== 'Z');
}

/**
 * Linux's `/proc/<pid>/stat`: the name in parentheses may hold anything, so fields are counted
 * after the last one. State is field 3, start time field 22.
 *
 * @param {number} pid
 */
function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}
