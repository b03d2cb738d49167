import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, found from its sources as from its build. */
export const packageRoot = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? folder : findRoot(parent);
}
