import type { Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { ConfigError } from 'holdfast';

/** A larger article is skipped: nobody wrote it by hand. */
export const maxArticleBytes = 1024 * 1024;

const maxArticles = 5_000;
/** A reload needs it twice, and an index is some times as large as its text. */
const maxTotalBytes = 32 * 1024 * 1024;
/** Whatever they are: the folder may be a whole disk by mistake. */
const maxEntries = 100_000;

export interface ArticleFile {
  readonly path: string;
  /** Its path within the folder, with `/` between folders. */
  readonly name: string;
  readonly bytes: number;
  /** Why there is nothing to be read from it. */
  readonly problem: string | null;
}

/** A folder that was seen; another one may lie at the same path later. */
export interface SeenFolder {
  readonly path: string;
  readonly inode: number;
}

export interface ArticleFiles {
  readonly folder: string;
  /** Sorted by name. */
  readonly files: readonly ArticleFile[];
  /** The folder itself and those below. */
  readonly folders: readonly SeenFolder[];
  /** Another one after any of the files was written, added, moved or removed. */
  readonly version: string;
}

/**
 * Finds every `*.md` file of a folder and its subfolders. What begins with a dot belongs to editors
 * and other programs. Links to folders are not followed: one to its own parent would have no end.
 *
 * @throws ConfigError when the folder cannot be read or holds too much.
 */
export async function findArticles(folder: string): Promise<ArticleFiles> {
  const { paths, folders } = await walk(folder);
  const seen = await Promise.all(paths.sort().map((path) => lookAt(folder, path)));
  const files = seen.map(({ file }) => file);
  const total = files.reduce((sum, { bytes, problem }) => sum + (problem === null ? bytes : 0), 0);
  if (total > maxTotalBytes) {
    throw knowledgeError(`${folder} holds ${total} bytes of articles, more than ${maxTotalBytes}`);
  }
  return { folder, files, folders, version: seen.map(({ version }) => version).join('\n') };
}

async function walk(root: string): Promise<{ paths: string[]; folders: SeenFolder[] }> {
  const paths: string[] = [];
  const folders: SeenFolder[] = [];
  const open = [root];
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    try {
      const { ino: inode } = await stat(folder);
      for await (const entry of await opendir(folder)) {
        entries += 1;
        if (entry.name.startsWith('.')) continue;
        const path = join(folder, entry.name);
        if (entry.isDirectory()) open.push(path);
        else if (entry.name.toLowerCase().endsWith('.md')) paths.push(path);
        if (entries > maxEntries || paths.length > maxArticles) break;
      }
      folders.push({ path: folder, inode });
    } catch (cause) {
      // A subfolder may have gone since it was seen.
      if (folder === root || errorCode(cause) !== 'ENOENT') throw unreadable(folder, cause);
    }
    if (paths.length > maxArticles) {
      throw knowledgeError(`${root} holds more than ${maxArticles} Markdown files`);
    }
    if (entries > maxEntries) {
      throw knowledgeError(`${root} holds more than ${maxEntries} files`);
    }
  }
  return { paths, folders };
}

async function lookAt(folder: string, path: string) {
  const name = relative(folder, path).replaceAll(sep, '/');
  try {
    const found = await stat(path);
    const { ino, size: bytes, mtimeMs, ctimeMs } = found;
    const version = `${name} ${ino} ${bytes} ${mtimeMs} ${ctimeMs}`;
    return { file: { path, name, bytes, problem: problemOf(found) }, version };
  } catch (error) {
    const problem = `unreadable (${errorCode(error)})`;
    return { file: { path, name, bytes: 0, problem }, version: `${name} ${problem}` };
  }
}

function problemOf(file: Stats): string | null {
  if (!file.isFile()) return 'not a file'; // reading a pipe might never end
  return file.size > maxArticleBytes ? tooLarge(file.size) : null;
}

export function tooLarge(bytes: number): string {
  return `${bytes} bytes, more than ${maxArticleBytes}`;
}

function unreadable(folder: string, cause: unknown): ConfigError {
  const code = errorCode(cause);
  if (code === 'ENOENT') return knowledgeError(`there is no folder ${folder}`, cause);
  if (code === 'ENOTDIR') return knowledgeError(`${folder} is not a folder`, cause);
  return knowledgeError(`the folder ${folder} cannot be read (${code})`, cause);
}

export function knowledgeError(problem: string, cause?: unknown): ConfigError {
  return new ConfigError(`KNOWLEDGE_DIR: ${problem}. ${advice}`, { cause });
}

const advice =
  'Put Markdown files (*.md, at most 1 MB each) there, or unset KNOWLEDGE_DIR to use the articles that come with the server.';

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
