import { createReadStream } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Logger } from '../logger.ts';
import { packageRoot } from '../package-root.ts';
import {
  type ArticleFile,
  type ArticleFiles,
  errorCode,
  findArticles,
  knowledgeError,
  maxArticleBytes,
  tooLarge,
} from './article-files.ts';
import { chunkMarkdown } from './chunk-markdown.ts';
import { KnowledgeBase } from './knowledge-base.ts';
import type { Chunk } from './passage.ts';

export const bundledKnowledge = join(packageRoot, 'knowledge');

/**
 * Reads every `*.md` file of a folder and its subfolders. A file that is too large, not text or
 * without text is logged and skipped.
 *
 * @throws ConfigError when the folder cannot be read, holds too much, or no article is left.
 */
export async function loadKnowledge(
  directory: string = bundledKnowledge,
  logger?: Logger,
): Promise<KnowledgeBase> {
  return readArticles(await findArticles(resolve(directory)), logger);
}

/** The same, of files that were found before. */
export async function readArticles(
  { folder, files }: ArticleFiles,
  logger?: Logger,
): Promise<KnowledgeBase> {
  const chunks: Chunk[] = [];
  const ids = new Set<string>();
  for (const file of files) {
    const article = await readArticle(file, ids);
    const found = article.text === undefined ? [] : chunkMarkdown(article.id, article.text);
    if (found.length === 0) {
      const reason = article.skipped ?? 'no text';
      logger?.warn({ file: file.name, reason }, 'knowledge file skipped');
    }
    chunks.push(...found);
  }
  if (chunks.length === 0) throw knowledgeError(`no article was found in ${folder}`);
  return KnowledgeBase.build(chunks);
}

async function readArticle(
  { path, name, problem }: ArticleFile,
  ids: Set<string>,
): Promise<{ id: string; text?: string; skipped?: string }> {
  const id = name.slice(0, -'.md'.length);
  if (problem !== null) return { id, skipped: problem };
  // `a.md` beside `a.MD`.
  if (ids.has(id)) return { id, skipped: 'another file has this name' };
  ids.add(id);
  try {
    const bytes = await readStart(path);
    // It may have grown since it was found.
    if (bytes.length > maxArticleBytes) return { id, skipped: tooLarge(bytes.length) };
    if (bytes.includes(0)) return { id, skipped: 'a binary file' };
    return { id, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const skipped =
      error instanceof TypeError ? 'not UTF-8 text' : `unreadable (${errorCode(error)})`;
    return { id, skipped };
  }
}

/** What an article may be long, and a byte more. */
async function readStart(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of createReadStream(path, { end: maxArticleBytes })) parts.push(part);
  return Buffer.concat(parts);
}
