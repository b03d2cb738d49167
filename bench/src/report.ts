import type { Result } from './experiment.ts';
import { figure } from './figures.ts';

/** The results as a Markdown table. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ title, figures, unit, ratio, target, met }) =>
    [
      title,
      figures.map((value) => figure(value, unit)).join(' → '),
      ratio === null ? '' : ratio.toFixed(2),
      target ?? '',
      met === null ? '' : met ? 'met' : '**missed**',
    ].join(' | '),
  );
  const header = ['what', 'median', 'ratio', 'target', ''].join(' | ');
  const rule = '---|---|---|---|---';
  return [`| ${header} |`, `|${rule}|`, ...rows.map((row) => `| ${row} |`)].join('\n');
}
