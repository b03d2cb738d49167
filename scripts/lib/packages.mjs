// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A workspace that has something to build.
 *
 * @typedef {object} Package
 * @property {string} name
 * @property {string} dir absolute
 * @property {string} tool the first word of its `build` script
 * @property {string[]} args the other words
 * @property {Package[]} needs the packages of this repository that it depends on
 */

/**
 * The manifests are the only list: a workspace with a `build` script is built, after the ones in
 * its `dependencies`.
 *
 * @param {string} root
 * @returns {Package[]} in build order
 */
export function readPackages(root) {
  const manifests = new Map();
  for (const dir of workspaceFolders(root)) {
    const manifest = readJson(join(dir, 'package.json'));
    if (manifest.scripts?.build) manifests.set(manifest.name, { dir, manifest });
  }

  /** @type {Map<string, Package>} */
  const ordered = new Map();
  /** @param {string} name @returns {Package} */
  const visit = (name) => {
    const known = ordered.get(name);
    if (known) return known;
    const { dir, manifest } = manifests.get(name);
    const needs = Object.keys(manifest.dependencies ?? {})
      .filter((dependency) => manifests.has(dependency))
      .map(visit);
    const [tool, ...args] = manifest.scripts.build.split(' ');
    const found = { name, dir, tool, args, needs };
    ordered.set(name, found);
    return found;
  };
  for (const name of manifests.keys()) visit(name);
  return [...ordered.values()];
}

/** @param {string} root */
function workspaceFolders(root) {
  /** @type {string[]} */
  const patterns = readJson(join(root, 'package.json')).workspaces;
  return patterns
    .flatMap((pattern) => {
      if (!pattern.endsWith('/*')) return [join(root, pattern)];
      const parent = join(root, pattern.slice(0, -2));
      return readdirSync(parent).map((name) => join(parent, name));
    })
    .filter((dir) => existsSync(join(dir, 'package.json')));
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
