// @ts-check
import { library } from './guard.mjs';

const driver = `${library}/lib/memory/in-memory-session-store.test.ts`;

/**
 * Of the driver in memory.
 * @type {readonly import('./guard.mjs').Guard[]}
 */
export const memoryGuards = [
  {
    name: 'the fence check',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease?.nonce === lease.nonce',
    notices: 'law 3: a right fence under a wrong owner is refused',
  },
  {
    name: 'the owner check',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease?.fence === lease.fence',
    notices: 'law 3: a right fence under a wrong owner is refused',
  },
  {
    name: 'the check that anybody holds the lease',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease !== null && lease !== null',
    notices: 'law 3: a stale commit changes nothing, and throws LeaseLostError',
  },
  {
    name: 'the end of a lease',
    file: 'lib/memory/lease-desk.ts',
    guard: 'if (held.until > this.#core.now()) return held;',
    without: 'return held;',
    notices: 'law 3: a commit after the lease’s end is refused, also when nobody took over',
  },
  {
    name: 'the incarnation check',
    file: 'lib/memory/memory-core.ts',
    guard: 'if (record?.incarnation !== incarnation) throw gone(id);',
    without: 'if (record === null) throw gone(id + incarnation);',
    notices: 'law 5: a turn cannot write into a new session of the same id',
  },
  {
    name: 'the idempotency digest',
    file: 'lib/memory/outcome-ledger.ts',
    guard: 'if (entry.requestDigest !== requestDigest) {',
    without: 'if (entry.requestDigest === null) {',
    notices: 'law 6: the same key with another request is a mismatch',
  },
  {
    name: 'the stored outcome',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (done !== null) {',
    without: 'if (done !== null && done.outcome === options) {',
    notices: 'a repeat does not interrupt the first attempt of its own turn',
  },
  {
    name: 'the FIFO queue',
    file: 'lib/memory/wait-queue.ts',
    guard: 'this.#waiters.append(waiter);',
    without: 'this.#waiters.insertAfter(null, waiter);',
    notices: 'law 4: the session goes to those who wait in the order of asking',
  },
  {
    name: 'the interrupter’s place at the front',
    file: 'lib/memory/wait-queue.ts',
    guard: "if (waiter.options.onBusy !== 'interrupt') {",
    without: 'if (waiter.options !== null) {',
    notices: 'an interrupter goes first, and the holder may commit once',
  },
  {
    name: 'the one commit of an interrupted holder',
    file: 'lib/memory/turn-engine.ts',
    guard: 'const goesOn = end.keep && held?.interrupted !== true;',
    without: 'const goesOn = end.keep;',
    notices: 'an interrupted holder that checkpoints has had its one commit',
  },
  {
    name: 'the result of a repeated commit',
    file: 'lib/memory/turn-engine.ts',
    guard: 'const repeated = record.repeated<CommitResult<Metadata>>(writeName);',
    without: 'const repeated = undefined as CommitResult<Metadata> | undefined;',
    notices: 'a commit repeated under its nonce returns the first one’s result',
  },
  {
    name: 'the frozen snapshot',
    file: 'lib/memory/session-record.ts',
    guard: 'const view: Session<Metadata> = Object.freeze({',
    without: 'const view: Session<Metadata> = ({',
    notices: 'law 8: what was handed out never changes, and what was handed in is copied',
  },
  {
    name: 'exact expiry',
    file: 'lib/memory/memory-core.ts',
    guard: 'if (record.expiresAt > this.now()) return record;',
    without: 'if (record.expiresAt >= this.now()) return record;',
    notices: 'law 7: the idle timeout is exact to the millisecond',
  },
  {
    name: 'the absolute timeout',
    file: 'lib/memory/session-record.ts',
    guard: 'this.#idleExpiresAt = Math.min(now + idleMs, this.absoluteExpiresAt);',
    without: 'this.#idleExpiresAt = now + idleMs;',
    notices: 'law 7: the absolute timeout does not move with activity',
  },
  {
    name: 'the lease that holds off idle expiry',
    file: 'lib/memory/session-record.ts',
    guard: 'if (expiresAt === this.expiresAt) return;',
    without: 'if (expiresAt > 0) return;',
    notices: 'renewal keeps a long turn’s session, at a third of the lease',
  },
  {
    name: 'the idle end that a shorter lease gives back',
    file: 'lib/memory/session-record.ts',
    guard: 'if (expiresAt === this.expiresAt) return;',
    without: 'if (expiresAt <= this.expiresAt) return;',
    notices: 'a lease renewed for less time holds it off for less',
  },
  {
    name: 'the user check',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (userId !== undefined && record.state.userId !== userId) throw notFound(record.id);',
    without: '',
    notices: 'law 12: who may come in is asked again when the wait is over',
  },
  {
    name: 'the token check',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (tokenHash !== undefined && !sameHash(record.credentials.tokenHash, tokenHash)) {',
    without: "if (tokenHash !== undefined && sameHash(null, '')) {",
    notices: 'law 12: who may come in is asked again when the wait is over',
  },
  {
    name: 'the second look at who has waited',
    file: 'lib/memory/turn-engine.ts',
    guard: '(record, options) => this.#admit(record, options) ?? this.#grant(record, options),',
    without: '(record, options) => this.#grant(record, options),',
    notices: 'law 12: who may come in is asked again when the wait is over',
  },
  {
    name: 'expiry under those who wait',
    file: 'lib/memory/lease-desk.ts',
    guard: 'if (record.expiresAt <= this.#core.now()) {',
    without: 'if (record.expiresAt < 0) {',
    notices: 'law 7: a session that expires under those who wait is given to none of them',
  },
  {
    name: 'eviction that spares sessions in a turn',
    file: 'lib/memory/session-table.ts',
    guard: 'const leaseEnded = record.lease !== null && record.lease.until <= now;',
    without: 'const leaseEnded = record.lease !== null && now > 0;',
    test: driver,
    notices: 'never evicts a session in a turn',
  },
  {
    name: 'the open session that a message is for',
    file: 'lib/memory/session-changes.ts',
    guard: "if (options.ifOpen === true && record.state.status === 'closed') {",
    without: 'if (options.ifOpen === null) {',
    notices: 'a message for an open session is none for a closed one',
  },
];
