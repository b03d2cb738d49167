import { tablesInWords } from './markdown-table.ts';
import type { Chunk } from './passage.ts';

/** A line of front matter: a key, what goes on below one, a comment, or nothing. */
const yamlPattern = /^(?:["']?[\w.-]+["']?[ \t]*:(?:\s|$)|[ \t]|-(?:[ \t]|$)|#|$)/;
const headingPattern = /^ {0,3}(#{1,6})[ \t]/;
/** Below a single line that is no sentence it makes that a heading. */
const underlinePattern = /^ {0,3}(=+|-+)[ \t]*$/;
/** A break between topics, or what separates the head of a table. */
const drawnPattern = /^[\s|:+=*_-]{3,}$/;
const fencePattern = /^ {0,3}(`{3,}|~{3,})/;
/** A line that begins a block of its own, so that it is not joined to the line before. */
const blockPattern = /^ *(?:[>|]|(?:[-*+]|\d+[.)])(?: |$))/;
const quotePattern = /^(?: {0,3}> ?)+/;
/** Of what kind a quotation is, as GitHub's `[!NOTE]` says. */
const kindPattern = /^ *\[!\w+\][ \t]*$/;

const maxSlugLength = 100;

/** Characters of a chunk. What is found is stored with the conversation, and read for its best sentences. */
export const maxChunkLength = 2_000;

interface Section {
  readonly level: number;
  readonly heading: string;
  readonly lines: string[];
}

/**
 * Splits an article into its sections. `articleId` names it in ids, and titles it when it has neither
 * a level-1 heading nor a title above it. Sections without text are left out; a long one becomes
 * several chunks.
 */
export function chunkMarkdown(articleId: string, markdown: string): Chunk[] {
  const lines = markdown.split(/\r\n|\r|\n/);
  const frontMatter = frontMatterOf(lines);
  const sections = splitSections(lines.slice(frontMatter.length));
  const heading = sections.find((section) => section.level === 1)?.heading;
  const title = heading || titleIn(frontMatter) || articleId;
  const ids = new Map<string, number>();
  const chunks: Chunk[] = [];
  for (const section of sections) {
    const text = plainText(section.lines);
    if (text === '') continue;
    const heading = section.heading || title;
    for (const part of inParts(text)) {
      const id = unusedId(`${articleId}#${slug(heading)}`, ids);
      chunks.push({ id, title, heading, text: part });
    }
  }
  return chunks;
}

/** What site generators put above an article, with the lines of dashes around it. All else is text, and stays. */
function frontMatterOf(lines: readonly string[]): readonly string[] {
  const [first = '', second = ''] = lines;
  if (!/^---[ \t]*$/.test(first) || second.trim() === '') return [];
  const end = lines.findIndex((line, index) => index > 0 && !yamlPattern.test(line));
  const isWhole = /^(?:---|\.\.\.)[ \t]*$/.test(lines[end] ?? '');
  const frontMatter = isWhole ? lines.slice(0, end + 1) : [];
  return frontMatter.some((line) => /^[\w"']/.test(line)) ? frontMatter : [];
}

function titleIn(frontMatter: readonly string[]): string | undefined {
  const line = frontMatter.find((line) => line.startsWith('title:'));
  const title = line?.slice('title:'.length).trim();
  // Folded: it begins on the next line.
  if (title === undefined || /^[|>]/.test(title)) return undefined;
  const quoted = /^(["'])(.*?)\1(?:\s+#.*)?$/.exec(title)?.[2];
  return quoted ?? title.split(/(?<=^|\s)#/, 1)[0]?.trim();
}

function splitSections(lines: readonly string[]): Section[] {
  let current: Section = { level: 0, heading: '', lines: [] };
  const sections = [current];
  let fence: string | undefined;
  for (const line of lines) {
    const marker = fencePattern.exec(line)?.[1];
    if (marker !== undefined && (fence === undefined || marker.startsWith(fence))) {
      fence = fence === undefined ? marker : undefined;
      current.lines.push('');
      continue;
    }
    const underline = fence === undefined ? underlinePattern.exec(line)?.[1] : undefined;
    if (underline !== undefined && endsInTitle(current.lines)) {
      const heading = stripInline(current.lines.pop() ?? '');
      current = { level: underline.startsWith('=') ? 1 : 2, heading, lines: [] };
      sections.push(current);
      continue;
    }
    const match = fence === undefined ? headingPattern.exec(line) : null;
    if (match === null) {
      current.lines.push(line);
      continue;
    }
    current = { level: match[1]?.length ?? 1, heading: headingIn(line), lines: [] };
    sections.push(current);
  }
  return sections;
}

/** Whether they end with a single line that is no sentence. */
function endsInTitle(lines: readonly string[]): boolean {
  const [last = '', before = ''] = lines.slice(-2).reverse();
  if (before.trim() !== '' || last.trimEnd().endsWith('.')) return false;
  return /^ {0,3}\S/.test(last) && !blockPattern.test(last);
}

function headingIn(line: string): string {
  return stripInline(stripClosing(line.replace(headingPattern, '').trim()));
}

/** A closing run of `#` after a space is not part of a heading. */
function stripClosing(text: string): string {
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  return end === 0 || /\s/.test(text.charAt(end - 1)) ? text.slice(0, end) : text;
}

function plainText(lines: readonly string[]): string {
  const blocks: string[] = [];
  let open = false;
  for (const raw of tablesInWords(withoutQuoteMarks(lines))) {
    const line = drawnPattern.test(raw) ? '' : stripInline(raw.trim());
    if (line === '') {
      open = false;
    } else if (open && !blockPattern.test(raw)) {
      blocks.push(`${blocks.pop()} ${line}`);
    } else {
      blocks.push(line);
      open = true;
    }
  }
  return blocks.join('\n');
}

/** What quotations say; none goes on from the line before it. */
function withoutQuoteMarks(lines: readonly string[]): string[] {
  let isQuoted = false;
  return lines.flatMap((line) => {
    const wasQuoted = isQuoted;
    const inside = line.replace(quotePattern, '');
    isQuoted = inside !== line;
    if (!isQuoted) return [line];
    if (fencePattern.test(inside) || kindPattern.test(inside)) return [''];
    if (headingPattern.test(inside)) return ['', headingIn(inside), ''];
    return wasQuoted ? [inside] : ['', inside];
  });
}

/** A chat shows text, not Markdown: links and images become their words, emphasis and code lose their marks. */
function stripInline(line: string): string {
  return line
    .replace(/!?\[([^[\]]*)\]\([^()\s]*\)/g, '$1')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/`([^`]+)`/g, '$1')
    .trim();
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
