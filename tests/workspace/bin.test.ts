import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { startProcess } from '../helpers/child-process.ts';
import { copySources, linkDependencies, repositoryRoot } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

const library = 'packages/holdfast';
const { bin }: { bin: { holdfast: string } } = JSON.parse(
  readFileSync(join(repositoryRoot, library, 'package.json'), 'utf8'),
);

async function ended(cwd: string, command: string, ...args: string[]) {
  const running = startProcess(command, args, { cwd });
  const { code } = await running.exit;
  return { code, stdout: running.stdout, stderr: running.stderr };
}

describe('npx holdfast', () => {
  it('says in a fresh clone that it has to be built, and works there after the build', async () => {
    const clone = temporaryFolder();
    copySources(clone);
    linkDependencies(clone);
    // npm's own way to make its links, without an installation.
    const npm = await ended(clone, 'npm', 'rebuild', 'holdfast', '--ignore-scripts', '--offline');
    expect(npm).toMatchObject({ code: 0 });
    const command = join(clone, 'node_modules/.bin/holdfast');
    expect(await ended(clone, command, '--help')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'error: The command line is not built: run `npm run build` first.\n',
    });

    const dist = join(library, 'dist');
    cpSync(join(inject('builtCopy'), dist), join(clone, dist), { recursive: true });
    const help = await ended(clone, command, '--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('Usage: holdfast');
    const wrong = await ended(clone, command, 'sessoins');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain("unknown command 'sessoins'");
  });

  // npm makes what it links to executable: that must be no change to a clone's files.
  it.skipIf(!existsSync(join(repositoryRoot, '.git')))('is committed as a program', () => {
    const args = ['ls-files', '--stage', '--', join(library, bin.holdfast)];
    const listed = execFileSync('git', args, { cwd: repositoryRoot, encoding: 'utf8' });
    expect(listed).toMatch(/^100755 /);
  });

  it('is published with what it needs, and its license', async () => {
    const folder = join(inject('builtCopy'), library);
    const packed = await ended(folder, 'npm', 'pack', '--dry-run', '--json', '--ignore-scripts');
    expect(packed).toMatchObject({ code: 0 });
    const [{ files }]: [{ files: { path: string }[] }] = JSON.parse(packed.stdout);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining([bin.holdfast, 'dist/cli.js', 'LICENSE']));
    const license = (of: string) => readFileSync(join(repositoryRoot, of, 'LICENSE'), 'utf8');
    expect(license(library)).toBe(license('.'));
  });
});
