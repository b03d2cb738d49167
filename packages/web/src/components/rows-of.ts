/** Enough to write in where the browser can't size a field by its content. */
const MAX_ROWS = 8;

export function rowsOf(text: string): number {
  return Math.min(MAX_ROWS, text.split('\n').length);
}
