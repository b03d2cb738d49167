import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { findArticles } from './article-files.ts';
import { chunkMarkdown } from './chunk-markdown.ts';
import { bundledKnowledge } from './load-knowledge.ts';

const { files } = await findArticles(bundledKnowledge);

describe('the articles that come with the server', () => {
  it.each(files.map(({ name, path }) => [name, path]))(
    '%s falls into sections to cite',
    async (name, path) => {
      const id = name.slice(0, -'.md'.length);
      const markdown = await readFile(path, 'utf8');
      const chunks = chunkMarkdown(id, markdown);
      const headings = markdown.match(/^#.*$/gm) ?? [];
      const titled = markdown.startsWith('# ');
      expect(titled).toBe(true);
      expect(new Set(chunks.map((chunk) => chunk.title)).size).toBe(1);
      expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(chunks.length);
      // Each heading has a section; what follows the title may have none.
      expect(headings.length - chunks.length).toBeLessThanOrEqual(1);
      for (const { text, id: chunkId } of chunks) {
        expect(chunkId).toMatch(/^[a-z-]+#[a-z0-9-]+$/);
        expect(text.length).toBeLessThan(900);
        expect(text).not.toMatch(/[#*`[\]]/);
      }
    },
  );
});
