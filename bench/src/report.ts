import type { Result } from './experiment.ts';
import type { Unit } from './figures.ts';

/** A figure with three digits that count, but for what is counted one by one. */
export function figure(value: number, unit: Unit): string {
  if (unit === 'ns') return duration(value);
  if (unit === '') return String(Number(value.toPrecision(3)));
  const gap = unit === 'B' || unit === '%' ? ' ' : '';
  return `${Math.round(value).toLocaleString('en-US')}${gap}${unit}`;
}

export function duration(nanoseconds: number): string {
  const scale = [
    [1e9, 's'],
    [1e7, 'ms'],
    [1e3, 'µs'],
  ] as const;
  const [least, name] = scale.find(([from]) => nanoseconds >= from) ?? [1, 'ns'];
  const value = nanoseconds / (name === 'ms' ? 1e6 : least);
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${name}`;
}

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
