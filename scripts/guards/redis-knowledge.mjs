// @ts-check

const attacks = 'tests/redis/encryption/attacks.test.ts';
const kept = 'tests/redis/l1/l1.test.ts';
const keptHistory = 'tests/redis/l1/history.test.ts';
const memory = 'tests/redis/l1/memory.test.ts';

/**
 * Of what a process knows of sessions on Redis.
 * @type {readonly import('./guard.mjs').Guard[]}
 */
export const knowledgeGuards = [
  {
    name: 'the floor of versions',
    file: 'lib/redis/known/floors.ts',
    guard: 'if (asked?.server === server) {',
    without: 'if (asked === null) {',
    test: attacks,
    notices: 'cannot put a whole older session back before a process that knows the newer one',
  },
  {
    name: 'the server that a floor is from',
    file: 'lib/redis/known/floors.ts',
    guard: 'if (asked?.server === server) {',
    without: 'if (asked !== undefined) {',
    test: attacks,
    notices: 'is told from an attack, and accepted: with a warning and an event',
  },
  {
    name: 'the memory of sessions that have ended',
    file: 'lib/redis/core/knowledge.ts',
    guard: 'if (this.floors.hasEnded(id, incarnation)) {',
    without: 'if (this.floors.hasEnded(id, incarnation) && floor === null) {',
    test: attacks,
    notices: 'cannot bring a session back that was ended',
  },
  {
    name: 'the end of what a removed key has opened',
    file: 'lib/redis/redis-session-store.ts',
    guard: 'codec.onKeysRemoved?.(() => known.forgetAll());',
    without: 'codec.onKeysRemoved?.(() => void known);',
    test: 'tests/redis/encryption/removed-keys.test.ts',
    notices: 'what was asked for before is not kept',
  },
  {
    name: 'the creation that was under way when a key was removed',
    file: 'lib/redis/sessions/creation.ts',
    guard: 'if (header.etag === etag && known.of(id) === before) {',
    without: 'if (header.etag === etag) {\n      before = known.of(id);',
    test: 'tests/redis/encryption/removed-keys.test.ts',
    notices: 'what is being created with it is not kept',
  },
  {
    name: 'the token among what contradicts',
    file: 'lib/redis/known/floors.ts',
    guard: 'sameCredentials && after.tokenHash !== before.tokenHash',
    without: 'sameCredentials && after.tokenHash === null',
    test: attacks,
    notices: 'cannot hide messages from a process that has seen them',
  },
  {
    name: 'the bound of what is kept',
    file: 'lib/redis/l1/l1-cache.ts',
    guard: 'age < this.#stalenessMs &&',
    without: '',
    test: kept,
    notices: 'no read is further behind than the bound and a round trip',
  },
  {
    name: 'the end of what is kept, by the server’s clock',
    file: 'lib/redis/l1/l1-cache.ts',
    guard: 'bucket.serverNow + resolutionMs + age * drift < kept.expiresAt &&',
    without: '',
    test: kept,
    notices: 'is not served when it has expired, though nobody has said so',
  },
  {
    name: 'the epoch of what is kept',
    file: 'lib/redis/l1/l1-cache.ts',
    guard: 'kept.epoch === bucket.epoch &&',
    without: '',
    test: kept,
    notices: 'no read is further behind than the bound and a round trip',
  },
  {
    name: 'the change of a session while it was read',
    file: 'lib/redis/core/knowledge.ts',
    guard: 'if (isKnown && !hasChanged && bucket.mayKeep(asked, count)) {',
    without: 'if (isKnown && bucket.mayKeep(asked, count)) {',
    test: kept,
    notices: 'a read that was under way when its session changed is not kept',
  },
  {
    name: 'the confirmation that all was heard',
    file: 'lib/redis/l1/bucket-news.ts',
    guard: 'if (count <= this.#heard) {',
    without: 'if (count >= 0) {',
    test: kept,
    notices: 'no read is further behind than the bound and a round trip',
  },
  {
    name: 'the gap in what is told',
    file: 'lib/redis/l1/bucket-news.ts',
    guard: '} else if (count === this.#heard + 1) {',
    without: '} else if (count > this.#heard) {',
    test: kept,
    notices: 'is forgotten of a whole bucket at the first message behind one that did not come',
  },
  {
    name: 'what is kept of another server',
    file: 'lib/redis/l1/news.ts',
    guard: 'options.link.onServer(() => this.missed());',
    without: '',
    test: kept,
    notices:
      'is not relied on where the calls go to another server, and the messages come as before',
  },
  {
    name: 'the epoch of a kept history',
    file: 'lib/redis/l1/history-tails.ts',
    guard: 'tail.epoch === tail.bucket.epoch &&',
    without: '',
    test: keptHistory,
    notices: 'is what a server that lost writes has, and not what it had: as JSON',
  },
  {
    name: 'the incarnation of a kept history',
    file: 'lib/redis/l1/history-tails.ts',
    guard: 'tail.incarnation === incarnation &&',
    without: '',
    test: keptHistory,
    notices: 'is that of the session that is there, and not of an earlier one of its id',
  },
  {
    name: 'the end of a kept history',
    file: 'lib/redis/l1/history-tails.ts',
    guard: 'before <= last.seq + 1',
    without: 'before > 0',
    test: keptHistory,
    notices: 'is read where another instance has added to it, heard or not',
  },
  {
    name: 'the age of what is in memory',
    file: 'lib/redis/known/aging.ts',
    guard: 'if (end > now) return end;',
    without: 'if (end > 0) return end;',
    test: memory,
    notices: 'goes when nobody asks for it any more',
  },
  {
    name: 'the end of a session while it was read',
    file: 'lib/redis/core/knowledge.ts',
    guard: 'if (snapshot !== null && known === before) this.sessions.learn(known, snapshot);',
    without: 'if (snapshot !== null) this.sessions.learn(known, snapshot);',
    test: memory,
    notices: 'does not stay for a read that was under way when the session was deleted',
  },
  {
    name: 'the end of values with their turns, without an L1',
    file: 'lib/redis/known/known-sessions.ts',
    guard: 'if (this.#keepsValues || known.turns.size > 0) known.snapshot = snapshot;',
    without: 'known.snapshot = snapshot;',
    test: 'tests/redis/l1/off.test.ts',
    notices: 'keeps nothing of a session beyond the turn',
  },
  {
    name: 'the order of sessions of one id',
    file: 'lib/redis/known/floors.ts',
    guard: "return isEarlier ? 'it is an earlier session of this id' : null;",
    without: 'return null;',
    test: attacks,
    notices: 'cannot put an earlier session in the place of a later one of its id',
  },
];
