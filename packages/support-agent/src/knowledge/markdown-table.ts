/**
 * Tables (GitHub Flavored Markdown, section 4.10) in words. A row is quoted alone, so it is a block of its
 * own, and each of its cells has the name of its column.
 */
export function tablesInWords(lines: readonly string[]): string[] {
  const text: string[] = [];
  let columns: readonly string[] | null = null;
  for (const [index, line] of lines.entries()) {
    if (columns !== null && isRow(line)) {
      if (!isDelimiter(line, columns)) text.push('', inWords(cellsOf(line), columns), '');
      continue;
    }
    columns = headAt(lines, index);
    if (columns === null) text.push(line);
    // Its rows say what it says.
    else if (!isRow(lines[index + 2] ?? '')) text.push('', inWords(columns, []), '');
  }
  return text;
}

/** The names of the columns of a table that begins with this line, or `null` where none does. */
function headAt(lines: readonly string[], index: number): readonly string[] | null {
  const [line = '', next = ''] = lines.slice(index, index + 2);
  if (!isRow(line) || !isRow(next)) return null;
  const columns = cellsOf(line);
  return isDelimiter(next, columns) ? columns : null;
}

function isRow(line: string): boolean {
  return line.includes('|');
}

function isDelimiter(line: string, columns: readonly string[]): boolean {
  const cells = cellsOf(line);
  return cells.length === columns.length && cells.every((cell) => /^:?-+:?$/.test(cell));
}

function cellsOf(row: string): string[] {
  const inside = row
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.replaceAll('\\|', '|').trim());
}

function inWords(cells: readonly string[], columns: readonly string[]): string {
  return cells
    .map((cell, index) => (columns[index] && cell !== '' ? `${columns[index]}: ${cell}` : cell))
    .filter((cell) => cell !== '')
    .join(' · ');
}
