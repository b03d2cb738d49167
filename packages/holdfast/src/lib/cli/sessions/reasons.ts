import type { UnreadableSession } from '../../store/unreadable.ts';
import { said } from '../terminal.ts';
import { counted } from '../text.ts';

/** Sessions that are named for people; `--json` names all. */
const mostNamed = 20;

/**
 * Why sessions cannot be read, for people, and what to do; empty when all can.
 * @param about is said of them all, as one more sentence
 */
export function reasons(unreadable: readonly UnreadableSession[], about?: string): string {
  if (unreadable.length === 0) return '';
  const named = unreadable.slice(0, mostNamed).map(({ id, reason }) => said(`  ${id}: ${reason}`));
  const rest = unreadable.length - named.length;
  const more = rest === 0 ? [] : [said(`  and ${rest} more: --json names all`)];
  const remedies = new Set(unreadable.map(({ remedy }) => remedy));
  return [
    said(`error: ${counted(unreadable.length, 'session')} cannot be read:`),
    ...named,
    ...more,
    ...(about === undefined ? [] : [said(about)]),
    ...[...remedies].map(said),
  ].join('');
}
