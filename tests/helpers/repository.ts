import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/** What an installation, a build or a user adds to a checkout. */
const NOT_CLONED = new Set(['.git', '.cache', '.env', 'node_modules', 'dist', 'coverage']);

export interface LockedPackage {
  version?: string;
  resolved?: string;
  license?: string;
  link?: boolean;
  dev?: boolean;
  optional?: boolean;
  engines?: Record<string, string> | string[];
  optionalDependencies?: Record<string, string>;
}

/** The lockfile's packages by their place, such as `node_modules/zod`. */
export function readLockedPackages(): Record<string, LockedPackage> {
  return JSON.parse(readFileSync(join(repositoryRoot, 'package-lock.json'), 'utf8')).packages;
}

/** The sources as a clone has them: nothing installed, nothing built. */
export function copySources(target: string): void {
  cpSync(repositoryRoot, target, {
    recursive: true,
    filter: (path) => !NOT_CLONED.has(basename(relative(repositoryRoot, path))),
  });
}

/**
 * What `npm ci` would put there, as links to this checkout's packages; the workspaces link to the
 * copy's own. Without build tools it is what `NODE_ENV=production npm ci` leaves.
 */
export function linkDependencies(target: string, { buildTools = true } = {}): void {
  for (const [place, locked] of Object.entries(readLockedPackages())) {
    const isTopLevel = place.split('node_modules/').length === 2;
    if (!isTopLevel || (locked.dev && !buildTools)) continue;
    const source = locked.link ? join(target, locked.resolved ?? '') : join(repositoryRoot, place);
    if (!existsSync(source)) continue;
    mkdirSync(dirname(join(target, place)), { recursive: true });
    symlinkSync(source, join(target, place));
  }
}

/** A copy of a copy, its build included. Links stay as they are, but the workspaces' are its own. */
export function copyBuilt(built: string, target: string, options?: { buildTools: boolean }): void {
  cpSync(built, target, {
    recursive: true,
    filter: (path) => basename(path) !== 'node_modules',
  });
  linkDependencies(target, options);
}
