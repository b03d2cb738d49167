import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { ConfigError } from 'holdfast';
import type { Logger } from '../logger.ts';
import { packageRoot } from '../package-root.ts';
import { chunkMarkdown } from './chunk-markdown.ts';
import { KnowledgeBase } from './knowledge-base.ts';
import type { Chunk } from './passage.ts';

/** A larger article is skipped: nobody wrote it by hand. */
const maxArticleBytes = 1024 * 1024;

export const bundledKnowledge = join(packageRoot, 'knowledge');

/**
 * Reads every `*.md` file of a folder and its subfolders. A file that is too large, not text or
 * without text is logged and skipped.
 *
 * @throws ConfigError when the folder cannot be read or no article is left.
 */
export async function loadKnowledge(
  directory: string = bundledKnowledge,
  logger?: Logger,
): Promise<KnowledgeBase> {
  const folder = resolve(directory);
  const chunks: Chunk[] = [];
  for (const name of await articleNames(folder)) {
    const article = await readArticle(join(folder, name));
    const found =
      article.text === undefined
        ? []
        : chunkMarkdown(name.slice(0, -'.md'.length).replaceAll(sep, '/'), article.text);
    if (found.length === 0) {
      logger?.warn({ file: name, reason: article.skipped ?? 'no text' }, 'knowledge file skipped');
    }
    chunks.push(...found);
  }
  if (chunks.length === 0) {
    throw new ConfigError(`KNOWLEDGE_DIR: no article was found in ${folder}. ${advice}`);
  }
  return new KnowledgeBase(chunks);
}

const advice =
  'Put Markdown files (*.md, at most 1 MB each) there, or unset KNOWLEDGE_DIR to use the articles that come with the server.';

async function articleNames(folder: string): Promise<string[]> {
  try {
    // Entries of links to folders are not followed: one to its own parent would have no end.
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && entry.name.toLowerCase().endsWith('.md'))
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort();
  } catch (cause) {
    const code = errorCode(cause);
    const problem =
      code === 'ENOENT'
        ? `there is no folder ${folder}`
        : code === 'ENOTDIR'
          ? `${folder} is not a folder`
          : `the folder ${folder} cannot be read (${code})`;
    throw new ConfigError(`KNOWLEDGE_DIR: ${problem}. ${advice}`, { cause });
  }
}

async function readArticle(path: string): Promise<{ text?: string; skipped?: string }> {
  try {
    const file = await stat(path);
    if (!file.isFile()) return { skipped: 'not a file' }; // reading a pipe might never end
    const { size } = file;
    if (size > maxArticleBytes) return { skipped: `${size} bytes, more than ${maxArticleBytes}` };
    const bytes = await readFile(path);
    if (bytes.includes(0)) return { skipped: 'a binary file' };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    return {
      skipped: error instanceof TypeError ? 'not UTF-8 text' : `unreadable (${errorCode(error)})`,
    };
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
