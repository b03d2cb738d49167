import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type RunningProcess, startProcess } from './child-process.ts';
import { repositoryRoot } from './repository.ts';
import { temporaryFolder } from './temporary-folder.ts';

/**
 * A build tool that copies `src` to `dist`. It fails on a source with BROKEN in it; on one with
 * HOLD it says so in the file `holding` and stays until there is a file `go`.
 */
const TOOL = `
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
appendFileSync('../../builds', basename(process.cwd()) + '\\n');
cpSync('src', 'dist', { recursive: true });
const source = readdirSync('src').map((name) => readFileSync('src/' + name, 'utf8')).join('');
if (source.includes('BROKEN')) throw new Error('copy-tool does not like this');
if (source.includes('HOLD')) {
  writeFileSync('../../holding', String(process.pid));
  const timer = setInterval(() => existsSync('../../go') && clearInterval(timer), 5);
}
console.log('copied');
`;

/** A small repository with the real scripts: `server` needs `library`, `notes` builds nothing. */
export class FixtureWorkspace {
  readonly root = temporaryFolder();

  constructor() {
    cpSync(join(repositoryRoot, 'scripts'), join(this.root, 'scripts'), { recursive: true });
    this.writeJson('package.json', {
      type: 'module',
      engines: { node: '>=20.19.0' },
      workspaces: ['packages/*', 'notes'],
    });
    this.write('package-lock.json', '{}');
    this.writeJson('notes/package.json', { name: 'notes' });
    // Named so that neither the folders' nor the manifests' order is the build order.
    this.writeJson('packages/z-library/package.json', {
      name: 'library',
      type: 'module',
      scripts: { build: 'copy-tool' },
    });
    this.write('packages/z-library/src/index.js', 'export const answer = 42;');
    this.writeJson('packages/support-agent/package.json', {
      name: 'server',
      type: 'module',
      scripts: { build: 'copy-tool --server' },
      dependencies: { library: '1.0.0' },
    });
    this.write('packages/support-agent/src/main.js', `console.log('ready');`);
    this.writeJson('node_modules/copy-tool/package.json', {
      type: 'module',
      bin: { 'copy-tool': 'tool.js' },
    });
    this.write('node_modules/copy-tool/tool.js', TOOL);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  private writeJson(name: string, content: object): void {
    this.write(name, JSON.stringify(content));
  }

  start(script: 'build' | 'start'): RunningProcess {
    return startProcess(process.execPath, [`scripts/${script}.mjs`], { cwd: this.root });
  }

  /** Runs a script to its end. */
  async run(script: 'build' | 'start') {
    const process = this.start(script);
    const { code } = await process.exit;
    return { code, stdout: process.stdout, stderr: process.stderr };
  }

  /** The packages' folders in the order of their builds since the last call. */
  builds(): string[] {
    if (!existsSync(this.path('builds'))) return [];
    const text = readFileSync(this.path('builds'), 'utf8');
    this.write('builds', '');
    return text.split('\n').filter(Boolean);
  }
}
