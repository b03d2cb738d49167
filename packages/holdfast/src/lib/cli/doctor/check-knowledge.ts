import { constants } from 'node:fs';
import { access, opendir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../../config/load-config.ts';
import { counted } from '../text.ts';
import { type Finding, failed, ok } from './finding.ts';

/** Whatever they are: the folder may be a whole disk by mistake. */
const maxEntries = 100_000;
const remedy =
  'Put Markdown files (*.md) there, or unset KNOWLEDGE_DIR to use the articles that come with the server.';

/** Whether KNOWLEDGE_DIR has anything to read; nothing where it is not set. What is in the files the server looks at. */
export async function checkKnowledge({ agent: { knowledgeDir } }: Config): Promise<Finding[]> {
  if (knowledgeDir === undefined) return [];
  const folder = resolve(knowledgeDir);
  try {
    const articles = await countArticles(folder);
    if (articles === 0)
      return [failed('knowledge', `No article that can be read is in ${folder}.`, remedy)];
    return [ok('knowledge', `${counted(articles, 'article')} in ${folder}.`)];
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const message =
      code === 'ENOENT'
        ? `There is no folder ${folder}, which KNOWLEDGE_DIR names.`
        : `The folder of KNOWLEDGE_DIR cannot be read (${code}).`;
    return [failed('knowledge', message, remedy)];
  }
}

/** As the server finds them: not what begins with a dot, and through no link to a folder. */
async function countArticles(root: string): Promise<number> {
  const folders = [root];
  let [entries, articles] = [0, 0];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      entries += 1;
      if (entries > maxEntries) return articles;
      if (entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.name.toLowerCase().endsWith('.md') && (await hasText(path))) articles += 1;
    }
  }
  return articles;
}

async function hasText(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    const found = await stat(path);
    return found.isFile() && found.size > 0;
  } catch {
    return false;
  }
}
