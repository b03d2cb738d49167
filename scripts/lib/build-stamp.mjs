// @ts-check
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** @import { Package } from './packages.mjs' */

/**
 * A build is fresh while its stamp agrees with the contents of what went in and of what came out.
 * Contents, because a checkout, a copy or an image layer changes times and nothing else, and because
 * an output that a killed build left half done then agrees with no stamp. The stamp stays out of
 * `dist`, which is published and served.
 *
 * @param {string} root
 * @param {Package} unit
 */
function stampPath(root, unit) {
  return join(root, '.cache', 'build-stamps', relative(root, unit.dir));
}

/** Not inputs: outputs, installed packages, and hidden files such as editors leave. */
const SKIPPED_FOLDERS = new Set(['dist', 'node_modules', 'coverage']);
const TEST_FILE = /\.test\.tsx?$/;

/**
 * @param {string} root
 * @param {Package} unit
 */
export function isFresh(root, unit) {
  try {
    const stamp = readFileSync(stampPath(root, unit), 'utf8');
    return stamp === stampText(unit, inputsOf(root, unit));
  } catch (error) {
    // Never built, or just being built by another process, which takes files away.
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * The digest of all that a build of this package depends on: its files, the lockfile, the shared
 * compiler options, and the same of every package it needs (its types come from there).
 *
 * @param {string} root
 * @param {Package} unit
 * @returns {string}
 */
export function inputsOf(root, unit) {
  const shared = readdirSync(root)
    .filter((name) => name === 'package-lock.json' || /^tsconfig.*\.json$/.test(name))
    .map((name) => join(root, name));
  const hash = createHash('sha256');
  hash.update(digestFiles(root, [...shared, ...filesUnder(unit.dir, isInput)]));
  for (const needed of unit.needs) hash.update(inputsOf(root, needed));
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @param {Package} unit
 * @param {string} inputs the digest taken before the build: an edit during it makes it stale
 */
export function writeStamp(root, unit, inputs) {
  const path = stampPath(root, unit);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, stampText(unit, inputs));
  renameSync(`${path}.new`, path);
}

/**
 * @param {Package} unit
 * @param {string} inputs
 */
function stampText(unit, inputs) {
  const dist = join(unit.dir, 'dist');
  const outputs = digestFiles(
    dist,
    filesUnder(dist, () => true),
  );
  return `inputs ${inputs}\noutputs ${outputs}\n`;
}

/** @param {string} name */
function isInput(name) {
  return !name.startsWith('.') && !SKIPPED_FOLDERS.has(name) && !TEST_FILE.test(name);
}

/**
 * @param {string} dir
 * @param {(name: string) => boolean} accepts decides on files and folders alike
 * @returns {string[]}
 */
function filesUnder(dir, accepts) {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => accepts(entry.name))
    .flatMap((entry) => {
      const path = join(dir, entry.name);
      return entry.isDirectory() ? filesUnder(path, accepts) : [path];
    });
}

/**
 * @param {string} base
 * @param {string[]} files
 */
function digestFiles(base, files) {
  const hash = createHash('sha256');
  for (const file of files.sort()) {
    const content = readFileSync(file);
    hash.update(`${relative(base, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
