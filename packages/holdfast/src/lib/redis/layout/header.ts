import type { SessionStatus } from '../../model/session.ts';

/** The clear fields of a session, as `scripts/parts/header.lua` has them. */
export interface Header {
  readonly incarnation: string;
  readonly version: number;
  readonly stateVersion: number;
  readonly credentialsVersion: number;
  /** Names the write that wrote state or credentials last. */
  readonly etag: string;
  readonly status: SessionStatus;
  /** The user's name in indexes. */
  readonly userName: string | null;
  readonly tokenHash: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastActivity: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly lastSeq: number;
  readonly fence: number;
  readonly owner: string | null;
  readonly leaseUntil: number;
  /** Granted to a waiter that has not claimed it yet. */
  readonly unclaimed: boolean;
  readonly interrupted: boolean;
  /** Somebody may wait. */
  readonly queued: boolean;
  readonly lastEventSeq: number;
}

export function parseHeader(line: string): Header {
  const words = line.split(' ');
  const number = (index: number) => Number(words[index]);
  const text = (index: number) => words[index] ?? '';
  const flags = text(20);
  const user = text(6);
  const token = text(7);
  const owner = text(17);
  return {
    incarnation: text(0),
    version: number(1),
    stateVersion: number(2),
    credentialsVersion: number(3),
    etag: text(4),
    status: text(5) as SessionStatus,
    userName: user === none ? null : user.slice(1),
    tokenHash: token === none ? null : hashOf(token),
    createdAt: number(8),
    updatedAt: number(9),
    lastActivity: number(10),
    idleExpiresAt: number(11),
    absoluteExpiresAt: number(12),
    lastSeq: number(15),
    fence: number(16),
    owner: owner === none ? null : owner,
    leaseUntil: number(18),
    unclaimed: flags.includes('c'),
    interrupted: flags.includes('i'),
    queued: flags.includes('q'),
    lastEventSeq: number(24),
  };
}

/** What `tokenWord` made a word of. A word that it did not make stays as it is, and is no token’s hash. */
function hashOf(word: string): string {
  try {
    return decodeURIComponent(word.slice(1));
  } catch {
    return word;
  }
}

/** Whether a line was a header at all. */
export function isSound({ version, createdAt, lastEventSeq }: Header): boolean {
  return [version, createdAt, lastEventSeq].every(Number.isSafeInteger);
}

/** For `remove.lua`: of what stands in the place of a session and is none. */
export const unknownIncarnation = '?';

/** What scripts take for no value. */
export const none = '-';

/** A user's name in a header, or as an argument to compare with one. */
export function userWord(name: string | null | undefined): string {
  return name === null || name === undefined ? none : `=${name}`;
}

/** A token's hash, which may be any string, as one word. */
export function tokenWord(hash: string | null): string {
  return hash === null ? none : `=${encodeURIComponent(hash)}`;
}

export function parseCounters(text: string): ReadonlyMap<string, number> {
  if (text === '') return noCounters;
  const words = text.split(' ');
  const counters = new Map<string, number>();
  for (let at = 0; at < words.length; at += 2) counters.set(words[at] ?? '', Number(words[at + 1]));
  return counters;
}

export function formatCounters(counters: ReadonlyMap<string, number>): string {
  return counters.size === 0
    ? ''
    : [...counters].map(([name, value]) => `${name} ${value}`).join(' ');
}

const noCounters: ReadonlyMap<string, number> = new Map();
