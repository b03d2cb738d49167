import { lasting, replaced } from '../caller.ts';
import { failureOf, type Method, sessionOf, text } from '../history.ts';
import type { Round } from './round.ts';

const ofNone = ['SESSION_NOT_FOUND'];
const underLease = ['SESSION_GONE', 'LEASE_LOST', 'TURN_INTERRUPTED'];
const allowed: Partial<Record<Method, readonly string[]>> = {
  create: ['VERSION_CONFLICT'],
  set: ['VERSION_CONFLICT'],
  update: ofNone,
  incrementCounter: ofNone,
  appendMessages: ofNone,
  messages: ofNone,
  setCredentials: ['VERSION_CONFLICT'],
  begin: [...ofNone, 'SESSION_GONE', 'SESSION_BUSY', 'LOCK_TIMEOUT', 'Left'],
  renew: underLease,
  emit: underLease,
  commit: underLease,
};
const ofTurns = ['SESSION_BUSY', 'LOCK_TIMEOUT', 'TURN_INTERRUPTED', 'TURN_TIMEOUT'];
const ofWork = ['WorkFailed', 'Left'];
const ofEnds = ['SESSION_NOT_FOUND', 'SESSION_GONE'];

/** Of these the outcome is never unknown. */
const reads: ReadonlySet<Method> = new Set([
  'get',
  'getBatch',
  'getWithCredentials',
  'exists',
  'messages',
  'listActive',
  'countActive',
]);

/** Law 10: each call fails with what the contract has for it, and for want of the store only where it was cut off. */
export function* failures({ history, turns, hadFaults }: Round): Iterable<string> {
  const there: readonly string[] = [...lasting, replaced];
  for (const call of history.calls) {
    const failure = failureOf(call);
    if (failure === undefined) continue;
    const ofFaults = reads.has(call.method)
      ? ['STORE_UNAVAILABLE']
      : ['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN'];
    const codes = [...(allowed[call.method] ?? []), ...(hadFaults ? ofFaults : [])];
    const isThere = there.includes(sessionOf(call));
    if (!codes.includes(failure) || (isThere && ofEnds.includes(failure))) yield text(call);
  }
  for (const { id, mark, failure } of turns) {
    if (failure === undefined) continue;
    // Nobody's lease runs out while it can be renewed.
    const ofFaults = hadFaults ? ['STORE_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_LOST'] : [];
    const codes = [...ofTurns, ...ofWork, ...ofFaults, ...(there.includes(id) ? [] : ofEnds)];
    if (!codes.includes(failure)) yield `${mark} in ${id} failed with ${failure}`;
  }
}
