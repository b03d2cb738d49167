import { execFileSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { copySources, linkDependencies } from '../helpers/repository.ts';
import { makeTemporaryFolder, removeFolder } from '../helpers/temporary-folder.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A copy of this repository, built. Tests may run it and copy it, not change it. */
    builtCopy: string;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = makeTemporaryFolder();
  copySources(folder);
  linkDependencies(folder);
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: folder });
  project.provide('builtCopy', folder);
  return () => removeFolder(folder);
}
