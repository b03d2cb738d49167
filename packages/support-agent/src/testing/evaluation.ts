import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';

/** A file of the evaluation. */
export async function readEvaluation(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(packageRoot, 'evaluation', name), 'utf8'));
}

/** The part of some items that fits, from 0 to 1. */
export function share<Item>(
  items: readonly Item[],
  fits: (item: Item, index: number) => boolean,
): number {
  return items.filter(fits).length / items.length;
}

/** Shows parts of 1 as percentages. */
export function printShares(title: string, figures: Readonly<Record<string, number>>): void {
  const lines = Object.entries(figures).map(
    ([name, value]) => `  ${name.padEnd(42)}${(value * 100).toFixed(1).padStart(6)} %`,
  );
  console.info([title, ...lines].join('\n'));
}
