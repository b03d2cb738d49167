// @ts-check
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from './process-identity.mjs';

/** @import { ProcessIdentity } from './process-identity.mjs' */

/**
 * A lock between the processes of one machine that a dead holder cannot keep.
 *
 * It is a folder of claims named by generation (`1`, `2`, …), and only the highest one counts. A
 * claim lists the processes that may still write; it is over when it is empty (released) or when
 * all of them are dead. Then whoever creates the next generation holds the lock. A claim appears
 * with its content at once (`link`) and the highest is never deleted, so of two processes that saw
 * the same dead holder one gets the next generation, and a late one finds a higher claim than its
 * own and steps back.
 */
export class ProcessLock {
  #dir;
  #generation;
  /** @type {ProcessIdentity[]} */
  #writers = [];

  /**
   * @param {string} dir
   * @param {number} generation
   */
  constructor(dir, generation) {
    this.#dir = dir;
    this.#generation = generation;
    this.#writers = [identityOf(process.pid)];
  }

  /**
   * Waits until the lock is free and takes it.
   *
   * @param {string} dir
   * @param {(pid: number) => void} onWait called once, if somebody else holds it
   */
  static async acquire(dir, onWait) {
    mkdirSync(dir, { recursive: true });
    for (let waited = false; ; ) {
      const latest = latestGeneration(dir);
      const holder = readClaim(dir, latest).find(isAlive);
      if (holder === undefined) {
        const lock = new ProcessLock(dir, latest + 1);
        if (lock.#claim()) return lock;
        continue;
      }
      if (!waited) onWait(holder.pid);
      waited = true;
      await sleep(100);
    }
  }

  /**
   * Names a child that writes under this lock: should this process die first, the lock stays taken
   * until the child has ended too.
   *
   * @param {number} pid
   */
  addWriter(pid) {
    this.#writers.push(identityOf(pid));
    this.#rewrite(this.#writers);
  }

  release() {
    this.#rewrite([]);
  }

  #claim() {
    const draft = this.#draft(this.#writers);
    try {
      linkSync(draft, this.#path(this.#generation));
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      return false;
    } finally {
      rmSync(draft);
    }
    const generations = generationsIn(this.#dir);
    const isHighest = generations.every((other) => other <= this.#generation);
    const over = isHighest
      ? generations.filter((other) => other < this.#generation)
      : [this.#generation];
    for (const generation of over) rmSync(this.#path(generation), { force: true });
    return isHighest;
  }

  /** @param {ProcessIdentity[]} writers */
  #rewrite(writers) {
    renameSync(this.#draft(writers), this.#path(this.#generation));
  }

  /** @param {ProcessIdentity[]} writers */
  #draft(writers) {
    const draft = join(this.#dir, `draft-${process.pid}`);
    writeFileSync(draft, JSON.stringify(writers));
    return draft;
  }

  /** @param {number} generation */
  #path(generation) {
    return join(this.#dir, String(generation));
  }
}

/** @param {string} dir */
function generationsIn(dir) {
  return readdirSync(dir)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** @param {string} dir */
function latestGeneration(dir) {
  return Math.max(0, ...generationsIn(dir));
}

/**
 * @param {string} dir
 * @param {number} generation
 * @returns {ProcessIdentity[]} none if the claim is over, was never made, or lost its content in a
 *   crash of the machine, which no holder survived
 */
function readClaim(dir, generation) {
  try {
    return JSON.parse(readFileSync(join(dir, String(generation)), 'utf8'));
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (error instanceof SyntaxError || code === 'ENOENT') return [];
    throw error;
  }
}
