import type { Result } from './experiment.ts';

/** A duration with three digits that count. */
export function duration(nanoseconds: number): string {
  const [value, unit] = nanoseconds < 1_000 ? [nanoseconds, 'ns'] : [nanoseconds / 1_000, 'µs'];
  return `${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)} ${unit}`;
}

/** The results as a Markdown table. */
export function table(results: readonly Result[]): string {
  const rows = results.map(({ title, figures, ratio, target, met }) =>
    [
      title,
      figures.map(duration).join(' → '),
      ratio === null ? '' : ratio.toFixed(2),
      target ?? '',
      met === null ? '' : met ? 'met' : '**missed**',
    ].join(' | '),
  );
  const header = ['what', 'CPU time', 'ratio', 'target', ''].join(' | ');
  const rule = '---|---|---|---|---';
  return [`| ${header} |`, `|${rule}|`, ...rows.map((row) => `| ${row} |`)].join('\n');
}

export interface Circumstances {
  readonly node: string;
  readonly platform: string;
  readonly date: string;
}

/** `docs/benchmarks.md`. */
export function page(results: readonly Result[], { node, platform, date }: Circumstances): string {
  return `# Benchmarks

\`npm run bench -- --write\` wrote this page on ${date}, with Node ${node} on ${platform}.

${table(results)}

Each figure is the CPU time of one operation, of the whole process with its garbage collector, as the
median of five rounds in which the figures of a row take turns. Each store has a process of its own,
and ids are strings of their own, as a request brings them. Compare figures within a row: between
machines, and between runs, they differ.

A million sessions, asked for at random, are in no cache of the processor. That alone makes a bare Map
several times slower, which the reference row shows; the row behind \`get\` shows what the store adds,
which is the way from the Map to the session. A turn among so many also pays for V8's collections of
the young generation, each of which looks through all pages of the old one, over a gigabyte here. A
larger young generation makes them rarer: give it to a process that holds hundreds of thousands of
sessions.

\`npm run bench -- --profile\` shows where the time of a plain turn goes, function by function.
\`--quick\` only tries whether everything runs; \`--json\` prints the results for a program.
`;
}
