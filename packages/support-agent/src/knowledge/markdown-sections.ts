import type { Token } from 'markdown-it';
import { markdown } from './shop-markdown.ts';

/** A heading, and what stands between it and the next one. */
export interface Section {
  /** Of the heading, from 1 to 6; 0 for what stands before the first. */
  readonly level: number;
  readonly heading: string;
  /** Plain text of its paragraphs, items of lists, rows of tables and lines of code. */
  readonly blocks: string[];
}

/** Splits Markdown into its sections. The first one is what stands before any heading. */
export function sectionsOf(article: string): Section[] {
  const tokens = markdown.parse(article, {});
  let reading = new SectionReading({ level: 0, heading: '', blocks: [] });
  const sections = [reading.section];
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1];
    if (before !== undefined && beginsSection(before, token)) {
      const level = Number(before.tag.slice('h'.length));
      reading = new SectionReading({ level, heading: headingOf(token), blocks: [] });
      sections.push(reading.section);
    } else reading.take(token);
  }
  return sections;
}

/**
 * A heading within a quotation or a list is a part of that. One that is made by a line of dashes below
 * it must be a single line that is no sentence: else a break between topics was meant.
 */
function beginsSection({ type, level, markup }: Token, { content }: Token): boolean {
  if (type !== 'heading_open' || level > 0) return false;
  return markup.startsWith('#') || !/\n|\.$/.test(content);
}

/** One line, without the name for links to it that some generators write behind it, as `{#returns}`. */
function headingOf({ children }: Token): string {
  const heading = textOf(children).replaceAll('\n', ' ');
  return heading.replace(/\{#[^{}\s]+\}$/, '').trim();
}

/** Makes the blocks of a section from its tokens. */
class SectionReading {
  readonly section: Section;
  /** What the next text begins with, as the first of an item does. */
  #mark = '';
  #quoteBegins = false;
  #table: TableReading | null = null;

  constructor(section: Section) {
    this.section = section;
  }

  take(token: Token): void {
    switch (token.type) {
      case 'list_item_open':
        this.#mark = `${token.info}${token.markup} `;
        break;
      case 'list_item_close':
        this.#mark = '';
        break;
      case 'blockquote_open':
        this.#quoteBegins = true;
        break;
      case 'table_open':
        this.#table = new TableReading();
        break;
      case 'tr_close':
        this.#table?.endRow();
        break;
      case 'table_close':
        for (const row of this.#table?.rows() ?? []) this.#add(row);
        this.#table = null;
        break;
      case 'inline':
        this.#inline(token.children ?? []);
        break;
      case 'fence':
      case 'code_block':
        this.#add(token.content);
    }
  }

  #inline(children: readonly Token[]): void {
    const text = textOf(this.#quoteBegins ? withoutKind(children) : children);
    this.#quoteBegins = false;
    if (this.#table === null) this.#add(text);
    else this.#table.cell(text);
  }

  #add(text: string): void {
    for (const line of text.split('\n')) {
      const said = line.trim();
      if (said === '') continue;
      this.section.blocks.push(`${this.#mark}${said}`);
      this.#mark = '';
    }
  }
}

/** A row is quoted alone, so each of its cells has the name of its column. */
class TableReading {
  readonly #rows: string[][] = [];
  #row: string[] = [];

  cell(text: string): void {
    this.#row.push(text.replaceAll('\n', ' '));
  }

  endRow(): void {
    this.#rows.push(this.#row);
    this.#row = [];
  }

  rows(): string[] {
    const [names = [], ...rows] = this.#rows;
    // No row says the name of a column in which nothing stands.
    const unsaid = names.filter((_, at) => rows.every((cells) => !cells[at]));
    const said = rows.map((cells) =>
      cells.map((cell, at) => (cell !== '' && names[at] ? `${names[at]}: ${cell}` : cell)),
    );
    return [unsaid, ...said].map(inWords);
  }
}

function inWords(cells: readonly string[]): string {
  return cells.filter((cell) => cell !== '').join(' · ');
}

/** A chat shows text, not Markdown: links and images become their words, emphasis and code lose their marks. */
function textOf(children: readonly Token[] | null): string {
  let text = '';
  for (const child of children ?? []) {
    if (child.type === 'softbreak') text += ' ';
    else if (child.type === 'hardbreak') text += '\n';
    else text += child.type === 'image' ? textOf(child.children) : child.content;
  }
  return text.trim();
}

/** Without what a quotation begins with that says of what kind it is, as `[!NOTE]` on GitHub. */
function withoutKind(children: readonly Token[]): readonly Token[] {
  const [first, second] = children;
  const isKind = first !== undefined && /^\[!\w+\]\s*$/.test(first.content);
  return isKind && (second === undefined || second.type.endsWith('break'))
    ? children.slice(2)
    : children;
}
