import { ApiError } from '../http.ts';
import type { Status, Ticket } from '../wire.ts';
import type { SessionRow } from './wire.ts';

export const SIGN_IN = {
  wrongKey: 'This is not the operator key of this server.',
  noLonger: 'The server no longer takes your key. Please sign in again.',
  undone: 'What you did last before you signed out may not have gone through.',
} as const;

export const STATUS: Readonly<Record<Status, string>> = {
  active: 'Active',
  handed_over: 'Handed over',
  closed: 'Closed',
};

/** What went wrong, for an operator: the server's own words help here. */
export function problemFor(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong on this page.';
  if (error.status === 0) return 'The server could not be reached.';
  if (error.code === 'SESSION_NOT_FOUND') return 'There is no such session any more.';
  if (error.code === 'DECRYPTION') return 'This session cannot be read: see the list of sessions.';
  if (error.code === 'TICKET_CHANGED') {
    return 'Nothing was changed: the customer’s ticket has changed meanwhile. This is how it stands; please decide again.';
  }
  if (error.code === 'VERSION_CONFLICT') {
    return 'Nothing was changed: too much else changed in this session at the same time. Please try again.';
  }
  if (error.status === 429) return 'Too many requests at once. It goes on in a moment.';
  return error.detail === '' ? `The server answered ${error.status}.` : error.detail;
}

/** The same, of what is read again and again. */
export function unreadFor(error: unknown): string {
  const isAway = error instanceof ApiError && error.status === 0;
  return isAway
    ? 'The server cannot be reached. It is tried again every few seconds.'
    : problemFor(error);
}

/** By whom a session is known, as well as anybody can tell. */
export function titleOf({ id, userId, facts }: SessionRow): string {
  return facts.email || userId || `Visitor ${id.slice(0, 6)}`;
}

/** Waits for a person whom nobody is yet. */
export function isWaiting({ status, escalated }: SessionRow): boolean {
  return escalated && status === 'active';
}

const REASONS: Readonly<Record<string, string>> = {
  asked_for: 'asked for a person',
  legal: 'speaks of the law',
  safety: 'somebody may be in danger',
  anger: 'is angry',
  repeated_failure: 'got no answer several times',
};

/** Why a conversation was passed on; a reason that is not known here in its own words. */
export function reasonLabel({ reason }: Ticket): string {
  return REASONS[reason] ?? reason.replaceAll('_', ' ');
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

const SPANS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

export function ago(at: number, now = Date.now()): string {
  const passed = Math.max(0, now - at);
  for (const [unit, ms] of SPANS) {
    if (passed >= ms) return relative.format(-Math.floor(passed / ms), unit);
  }
  return 'just now';
}
