import type { MigrationResult } from '../migration/python-v2/migration.ts';
import { count, wrapped } from './text.ts';

interface Mode {
  readonly apply: boolean;
  readonly remove: boolean;
}

/** Columns that a terminal has at least. */
const columns = 80;
/** Ids of one kind that are named; `--json` names all. */
const mostNamed = 100;

const kept = [
  ['committed', 'changed since, and so in Holdfast: kept as they are there'],
  ['deleted', 'changed since, but ended in Holdfast: not brought back'],
  ['exists', 'not imported: Holdfast has sessions of these ids'],
] as const;

/** One JSON object, on one line. */
export function asJson(result: MigrationResult, { apply, remove }: Mode): string {
  const { found, counts, kept: ids, failed, removed } = result;
  return `${JSON.stringify({ applied: apply, deleting: remove, found, counts, kept: ids, failed, removed })}\n`;
}

/** What was done, or would be, for people; without the failures. */
export function asText({ found, counts, kept: ids, removed }: MigrationResult, mode: Mode): string {
  const { apply, remove } = mode;
  const rows: (readonly [number, string])[] = [
    [counts.new, apply ? 'imported' : 'to import'],
    [counts.changed, `changed since their import, ${apply ? 'imported' : 'to import'} again`],
    [counts.unchanged, 'unchanged since their import'],
    [counts.ended, 'unchanged since their import, and ended in Holdfast'],
    ...kept.map(([kind, meaning]) => [counts[kind], meaning] as const),
    [counts.expired, 'expired meanwhile'],
    [counts.failed, 'failed'],
  ];
  const shown = rows.filter(([number], at) => at === 0 || number > 0);
  const width = Math.max(...shown.map(([number]) => count(number).length));
  const lines = [
    `${count(found)} ${found === 1 ? 'session' : 'sessions'} found.`,
    ...shown.map(([number, meaning]) => `  ${count(number).padStart(width)} ${meaning}`),
    ...kept.flatMap(([kind, meaning]) => named(meaning, ids[kind])),
  ];
  if (remove) lines.push(`${count(removed)} ${removed === 1 ? 'original' : 'originals'} deleted.`);
  if (!apply && !remove) lines.push('Nothing was changed. With --apply it is done.');
  return `${lines.join('\n')}\n`;
}

/** The sessions that failed, each with its reason; empty when none did. */
export function failures({ failed }: MigrationResult): string {
  if (failed.length === 0) return '';
  const lines = failed
    .slice(0, mostNamed)
    .flatMap(({ id, reason }) => [printable(id), ...indented(reason)]);
  const head = `${count(failed.length)} ${failed.length === 1 ? 'session' : 'sessions'} failed:`;
  return `${[head, ...lines, ...rest(failed.length)].join('\n')}\n`;
}

function named(meaning: string, ids: readonly string[]): string[] {
  if (ids.length === 0) return [];
  const head = `${meaning[0]?.toUpperCase()}${meaning.slice(1)}:`;
  const some = ids.slice(0, mostNamed).map((id) => `  ${printable(id)}`);
  return [head, ...some, ...rest(ids.length)];
}

function rest(length: number): string[] {
  return length > mostNamed ? [`  and ${count(length - mostNamed)} more: --json names all`] : [];
}

/** Ids come from Redis, and may be anything. */
function printable(id: string): string {
  const text = id.length > columns * 4 ? `${id.slice(0, columns * 4)}…` : id;
  return /^[\w.:@-]*$/.test(text) ? text : JSON.stringify(text);
}

function indented(text: string): string[] {
  const indent = '  ';
  return wrapped(text, columns - indent.length).map((line) => indent + line);
}
