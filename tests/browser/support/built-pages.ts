import { execFileSync } from 'node:child_process';
import { repositoryRoot } from '../../helpers/repository.ts';

/** Builds what is stale, once and before all tests: they run what `npm start` would serve. */
export default function setup(): void {
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: repositoryRoot });
}
