import { cpSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { startProcess } from '../helpers/child-process.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';
import { type Stage, stageOf, stages, wordsOf } from './dockerfile.ts';

/** What the context keeps out, of what `.dockerignore` says in its simple forms. */
const ignored = readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

function isIgnored(path: string): boolean {
  const place = relative(repositoryRoot, path).split(sep).join('/');
  return ignored.some((pattern) => {
    if (!pattern.startsWith('**/')) return place === pattern || place.startsWith(`${pattern}/`);
    const [, name = ''] = pattern.split('**/');
    return name.startsWith('*') ? place.endsWith(name.slice(1)) : basename(place) === name;
  });
}

/**
 * Does what the Dockerfile says, a folder a stage in place of `/app`: COPY copies, RUN runs. The stage
 * `build` is what is built already: its lines are those that every clone is built by.
 */
export class ImageFolders {
  readonly #built: string;
  readonly #folders = new Map<string, string>();
  /** Of the last stage. */
  readonly env: Record<string, string> = {};

  constructor(built: string) {
    this.#built = built;
  }

  async make(name: string): Promise<string> {
    const known = this.#folders.get(name);
    if (known !== undefined) return known;
    const stage = stages.find((one) => one.name === name);
    if (stage === undefined) throw new Error(`There is no stage ${name}.`);
    const folder = name === 'build' ? this.#built : await this.#follow(stage);
    this.#folders.set(name, folder);
    return folder;
  }

  async #follow({ name, from, instructions }: Stage): Promise<string> {
    const folder = temporaryFolder();
    if (stages.some((stage) => stage.name === from)) copy(await this.make(from), folder);
    for (const instruction of instructions) {
      const words = wordsOf(instruction);
      switch (instruction.getKeyword()) {
        case 'COPY':
          await this.#copy(words, stageOf(instruction), folder);
          break;
        case 'RUN':
          await run(instruction.getArgumentsContent() ?? '', folder);
          break;
        case 'ENV':
          if (name !== 'server') throw new Error('Only the last stage has an environment.');
          for (const word of words) {
            const [key = '', value = ''] = word.split('=');
            this.env[key] = value;
          }
          break;
        default: // what concerns the image's settings, not its files
      }
    }
    return folder;
  }

  async #copy(words: readonly string[], from: string | undefined, folder: string): Promise<void> {
    const sources = [...words];
    const target = sources.pop() ?? '';
    const context = from === undefined ? repositoryRoot : await this.make(from);
    for (const source of sources) {
      const path = join(context, source.replace(/^\/app\/?/, ''));
      if (from === undefined && isIgnored(path)) throw new Error(`${source} is ignored.`);
      // A folder's content is copied, a file under its own name where the target ends with a slash.
      const into = join(
        folder,
        target,
        statSync(path).isFile() && target.endsWith('/') ? basename(path) : '',
      );
      mkdirSync(join(into, '..'), { recursive: true });
      copy(path, into, from === undefined ? isIgnored : () => false);
    }
  }
}

function copy(from: string, to: string, isLeftOut: (path: string) => boolean = () => false): void {
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, filter: (path) => !isLeftOut(path) });
  if (!existsSync(to)) throw new Error(`Nothing was copied to ${to}.`);
}

async function run(command: string, cwd: string): Promise<void> {
  const running = startProcess('sh', ['-euc', command], {
    cwd,
    env: { npm_config_prefer_offline: 'true' },
  });
  const { code } = await running.exit;
  if (code !== 0) throw new Error(`${command} failed:\n${running.stdout}${running.stderr}`);
}
