import { mortal } from '../caller.ts';
import type { Creation, Ending } from '../facts.ts';
import {
  type Call,
  failureOf,
  isAnswered,
  nonceOf,
  resultOf,
  sessionOf,
  text,
} from '../history.ts';
import type { Round } from './round.ts';

/** Versions only grow within a session, and each is made by one write. */
export function* versions({ looks, history }: Round): Iterable<string> {
  const name = (call: Call) =>
    `${call.method} ${sessionOf(call)} ${nonceOf(call) ?? `at ${call.start}`}`;
  const begun = new Map<string, number>();
  for (const call of history.calls) {
    begun.set(name(call), Math.min(begun.get(name(call)) ?? Infinity, call.start));
  }
  for (const { call, session, isFresh, isWrite } of looks) {
    if (!isFresh) continue;
    const { threadId, version } = session;
    // What is written again under its nonce may have been written by the first call.
    const start = isWrite ? (begun.get(name(call)) ?? 0) : call.start;
    for (const other of looks) {
      if (other.session.threadId !== threadId || name(other.call) === name(call)) continue;
      const before = other.session.version;
      if (other.call.end < start && (isWrite ? before >= version : before > version)) {
        yield `${text(call)} had ${version} after ${before} of ${text(other.call)}`;
      }
      if (isWrite && other.isWrite && before === version) {
        yield `${text(call)} and ${text(other.call)} both made ${version}`;
      }
    }
  }
}

/** A name is taken only while a session has it. */
export function* takenNames({ creations, endings }: Round): Iterable<string> {
  for (const creation of creations) {
    for (const call of creation.calls) {
      if (failureOf(call) !== 'VERSION_CONFLICT') continue;
      const isTaken = creations.some(
        (other) =>
          other !== creation &&
          other.id === creation.id &&
          other.fate !== 'refused' &&
          other.start < call.end &&
          !hasEnded(other, call.start, endings),
      );
      if (!isTaken) yield `${text(call)} though there was none`;
    }
  }
}

/** Law 5: delete wins. What was ended is seen no more. */
export function* deletions({ creations, endings, looks, found, history }: Round): Iterable<string> {
  const byName = new Map(creations.map((creation) => [creation.name, creation]));
  for (const { call, session, isFresh, isWrite } of looks) {
    const creation = byName.get(session.threadId);
    if (creation === undefined) {
      if (mortal.includes(session.id)) yield `${text(call)} had one that nobody created`;
      continue;
    }
    if (creation.fate === 'refused') yield `${text(call)} had one whose creation was refused`;
    const isRepeat = isWrite && isRepeated(call, history.calls);
    if (isFresh && !isRepeat && hasEnded(creation, call.start, endings)) {
      yield `${text(call)} had ${creation.name}, which had been ended`;
    }
  }
  for (const { session } of found.values()) {
    const creation = byName.get(session.threadId);
    if (creation !== undefined && hasEnded(creation, Infinity, endings)) {
      yield `${creation.name} is there, and had been ended`;
    }
  }
}

/** Each session ends once. */
export function* ends({ creations, endings, found }: Round): Iterable<string> {
  const begun = creations.filter(({ fate }) => fate !== 'refused').length;
  const ended = endings.reduce((sum, { count }) => sum + count, 0);
  const left = mortal.filter((id) => found.has(id)).length;
  if (ended + left > begun) yield `${ended} were ended and ${left} are left, of ${begun}`;
}

/** Law 1: what is there is not called missing. */
export function* absences({ creations, endings, history, looks, idleTimeoutMs }: Round) {
  for (const call of history.calls.filter(isAbsence)) {
    const there = creations.find(
      (creation) =>
        creation.id === sessionOf(call) &&
        creation.end < call.start &&
        !endings.some((ending) => mayEnd(ending, creation, call)),
    );
    if (there === undefined) continue;
    const active = looks
      .filter(({ session, isWrite }) => isWrite && session.threadId === there.name)
      .filter((look) => look.call.end < call.start)
      .map((look) => look.call.startMs);
    const begunMs = Math.min(...there.calls.map(({ startMs }) => startMs));
    if (call.endMs < Math.max(begunMs, ...active) + idleTimeoutMs) {
      yield `${text(call)} though ${there.name} is there`;
    }
  }
}

/** Law 7: nobody is shown a session behind its end. */
export function* expiry({ looks }: Round): Iterable<string> {
  for (const { call, session, isWrite } of looks) {
    if (!isWrite && session.expiresAt <= call.startMs) {
      yield `${text(call)} had one that expired at ${session.expiresAt}`;
    }
  }
}

/** Whether it was surely over by then. */
function hasEnded(creation: Creation, by: number, endings: readonly Ending[]): boolean {
  return endings.some(
    ({ call, ends: isEnd }) =>
      isAnswered(call) && call.start > creation.end && call.end < by && isEnd(creation),
  );
}

/** Whether it may be over by the end of this call. */
function mayEnd({ call, ends: isEnd }: Ending, creation: Creation, by: Call): boolean {
  const mayHaveComeLater = call.end > creation.start || !isAnswered(call);
  return isEnd(creation) && call.start < by.end && mayHaveComeLater;
}

function isAbsence(call: Call): boolean {
  if (failureOf(call) === 'SESSION_NOT_FOUND') return true;
  const isFresh = call.method === 'get' && call.args[1]?.fresh === true;
  const isRead = isFresh || call.method === 'exists' || call.method === 'getWithCredentials';
  return isRead && isAnswered(call) && !resultOf(call);
}

function isRepeated(call: Call, calls: readonly Call[]): boolean {
  const nonce = nonceOf(call);
  return nonce !== undefined && calls.some((other) => other !== call && nonceOf(other) === nonce);
}
