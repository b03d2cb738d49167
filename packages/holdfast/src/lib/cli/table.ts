const gap = '  ';
/** A column is not made narrower than this. */
const leastWidth = 6;

/** Rows under a head, in columns; what a terminal of that width cannot show is cut off. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const widths = head.map((title, at) =>
    rows.reduce((most, row) => Math.max(most, row[at]?.length ?? 0), title.length),
  );
  const whole = () => widths.reduce((sum, each) => sum + each, 0) + gap.length * (head.length - 1);
  while (whole() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    const now = widths[widest] ?? 0;
    if (now <= leastWidth) break;
    widths[widest] = now - 1;
  }
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => cut(cell, widths[at] ?? 0).padEnd(widths[at] ?? 0))
      .join(gap)
      .trimEnd();
  return [head, ...rows].map((row) => `${line(row)}\n`).join('');
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
