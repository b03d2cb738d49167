import MarkdownIt, { type StateBlock, type StateInline } from 'markdown-it';

/**
 * CommonMark with tables as GitHub has them. HTML is text as any other, but for comments and breaks of lines.
 * What is struck out keeps its marks: without them it would be said as if it held.
 */
export const markdown = new MarkdownIt({ html: false }).disable('strikethrough');

// Words are all that is taken from a link, wherever it leads.
markdown.validateLink = () => true;

const endsParagraphs = { alt: ['paragraph', 'reference', 'blockquote', 'list'] };
markdown.block.ruler.before('table', 'container', container, endsParagraphs);
markdown.block.ruler.before('table', 'comment', comment);
const paragraph = markdown.block.ruler.getRules('').at(-1);
markdown.block.ruler.before('reference', 'footnote', footnote);
markdown.inline.ruler.before('autolink', 'comment', inlineComment);
markdown.inline.ruler.before('autolink', 'break', lineBreak);

/** `:::note` and the `:::` that ends it, as Docusaurus has them, are marks. A title behind them is text. */
function container(state: StateBlock, line: number, _end: number, silent: boolean): boolean {
  const from = beginningOf(state, line);
  if (!state.src.startsWith(':::', from) || isCode(state, line)) return false;
  if (silent) return true;
  state.line = line + 1;
  const title = state.src.slice(from, state.eMarks[line]).replace(/^:+[ \t]*[a-z-]*/, '');
  say(state, title.trim().replace(/^\[(.*)\]$/, '$1'));
  return true;
}

/** A comment is for authors, and may have whole sections in it. One that has no end is text. */
function comment(state: StateBlock, line: number, end: number): boolean {
  if (state.level > 0 || isCode(state, line)) return false;
  const behind = endOfComment(state, beginningOf(state, line));
  if (behind < 0) return false;
  let last = line;
  while (last + 1 < end && (state.eMarks[last] ?? 0) < behind) last += 1;
  state.line = last + 1;
  say(state, state.src.slice(behind, state.eMarks[last]).trim());
  return true;
}

function inlineComment(state: StateInline): boolean {
  const behind = endOfComment(state, state.pos);
  if (behind < 0) return false;
  state.pos = behind;
  return true;
}

/** It is text: one of a single word would be the address of links. */
function footnote(state: StateBlock, line: number, end: number, silent: boolean): boolean {
  const written = state.src.slice(beginningOf(state, line), state.eMarks[line]);
  return /^\[\^[^\]]+\]:/.test(written) && paragraph?.(state, line, end, silent) === true;
}

/** By what is being read: where its last comment ends. To look for it anew each time would take too long. */
const lastEnds = new WeakMap<object, number>();

/** -1 where no comment begins, or none that ends. */
function endOfComment(state: StateBlock | StateInline, from: number): number {
  if (!state.src.startsWith('<!--', from)) return -1;
  const within = from + '<!--'.length;
  const last = lastEnds.get(state) ?? state.src.lastIndexOf('-->');
  lastEnds.set(state, last);
  return last < within ? -1 : state.src.indexOf('-->', within) + '-->'.length;
}

/** Within a table there is no other way to break a line. */
function lineBreak(state: StateInline, silent: boolean): boolean {
  const mark = /^<br[ \t]*\/?>/i.exec(state.src.slice(state.pos, state.pos + 10))?.[0];
  if (mark === undefined) return false;
  if (!silent) state.push('hardbreak', 'br', 0);
  state.pos += mark.length;
  return true;
}

function beginningOf(state: StateBlock, line: number): number {
  return (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
}

/** It is indented by four or more. */
function isCode(state: StateBlock, line: number): boolean {
  return (state.sCount[line] ?? 0) - state.blkIndent >= 4;
}

function say(state: StateBlock, text: string): void {
  const token = state.push('inline', '', 0);
  token.content = text;
  token.children = [];
}
