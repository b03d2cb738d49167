import { readFrontMatter } from './front-matter.ts';
import { sectionsOf } from './markdown-sections.ts';
import type { Chunk } from './passage.ts';

const maxSlugLength = 100;

/** Characters of a chunk. What is found is stored with the conversation, and read for its best sentences. */
export const maxChunkLength = 2_000;

/**
 * Splits an article into its sections. `articleId` names it in ids, and titles it when it has neither
 * a level-1 heading nor a title above it. Sections without text are left out; a long one becomes
 * several chunks.
 */
export function chunkMarkdown(articleId: string, markdown: string): Chunk[] {
  const frontMatter = readFrontMatter(markdown);
  const sections = sectionsOf(frontMatter.body);
  const first = sections.find((section) => section.level === 1)?.heading;
  const title = first || frontMatter.title || articleId;
  const ids = new Map<string, number>();
  const chunks: Chunk[] = [];
  for (const { heading: own, blocks } of sections) {
    const heading = own || title;
    for (const text of inParts(blocks.join('\n'))) {
      const id = unusedId(`${articleId}#${slug(heading)}`, ids);
      chunks.push({ id, title, heading, text });
    }
  }
  return chunks;
}

function slug(heading: string): string {
  const words = heading.toLowerCase().match(/[\p{L}\p{N}]+/gu);
  return words?.join('-').slice(0, maxSlugLength) ?? 'section';
}

/** @param used how often each id was wanted */
function unusedId(wanted: string, used: Map<string, number>): string {
  let id = wanted;
  for (let count = used.get(wanted) ?? 0; used.has(id); count += 1) {
    id = `${wanted}-${count + 1}`;
    used.set(wanted, count + 1);
  }
  used.set(id, 1);
  return id;
}

/** A text whole or, when it is long, cut where a line ends, or a sentence, or at least a word. */
function inParts(text: string): string[] {
  const parts: string[] = [];
  let from = 0;
  while (text.length - from > maxChunkLength) {
    const window = text.slice(from, from + maxChunkLength);
    const end =
      Math.max(window.lastIndexOf('\n'), window.lastIndexOf('. ') + 1) || window.lastIndexOf(' ');
    const length = end > 0 ? end : maxChunkLength;
    parts.push(window.slice(0, length));
    from += length;
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
