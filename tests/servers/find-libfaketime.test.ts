import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../scripts/lib/problem.mjs';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { findLibfaketime } from './find-libfaketime.ts';

/** A folder of libraries with one of this name, empty unless it is a link. */
function folderWith(below: string, target?: string): string {
  const folder = temporaryFolder();
  const place = join(folder, below, 'faketime');
  mkdirSync(place, { recursive: true });
  const library = join(place, 'libfaketime.so.1');
  if (target === undefined) writeFileSync(library, '');
  else symlinkSync(target, library);
  return folder;
}

async function problemOf(found: Promise<unknown>): Promise<string> {
  const problem = await found.catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  return (problem as Problem).message;
}

describe('findLibfaketime', () => {
  it('takes the first installed one that works', async () => {
    const library = await findLibfaketime();
    const broken = folderWith('');
    const installed = folderWith('some-architecture', library);
    const libraryFolders = ['/no/such/folder', broken, installed];
    expect(await findLibfaketime({ libraryFolders, path: '' })).toBe(
      join(installed, 'some-architecture', 'faketime', 'libfaketime.so.1'),
    );
  });

  it('says in one sentence what to do where there is neither it nor apt', async () => {
    const found = findLibfaketime({ libraryFolders: [folderWith('')], path: temporaryFolder() });
    expect(await problemOf(found)).toMatch(/^No libfaketime was found, [^.]+: install [^.]+\.$/);
  });

  it('says in one sentence what kept apt from helping', async () => {
    const path = temporaryFolder();
    const failing = `#!/bin/sh\necho 'E: Unable to locate package libfaketime' >&2; exit 100\n`;
    for (const name of ['apt-get', 'dpkg'])
      writeFileSync(join(path, name), failing, { mode: 0o755 });
    const cacheFolder = join(temporaryFolder(), 'cache');
    expect(await problemOf(findLibfaketime({ libraryFolders: [], path, cacheFolder }))).toBe(
      'No libfaketime was found, which gives a Redis a clock of its own, and apt could not provide it (Unable to locate package libfaketime): install it (apt-get install libfaketime).',
    );
  });
});
