// @ts-check

const attacks = 'tests/redis/encryption/attacks.test.ts';
const moves = 'tests/redis/topologies/moved-slots.test.ts';
const imports = 'tests/redis/importing.test.ts';
const requests = 'tests/redis/encryption/requests.test.ts';

/**
 * Of the driver on Redis: the layout, sessions, turns and upkeep, and what is imported.
 * @type {readonly import('./guard.mjs').Guard[]}
 */
export const redisGuards = [
  {
    name: 'the times of a session in its state',
    file: 'lib/redis/layout/records.ts',
    guard: 'if (clear !== null) assertLifetime(at.sessionId, lifetime, clear);',
    without: '',
    test: attacks,
    notices: 'cannot make a session live longer, by its absolute limit',
  },
  {
    name: 'the token in the credentials',
    file: 'lib/redis/layout/records.ts',
    guard: 'if (sealedHash !== undefined && sealedHash !== tokenHash) {',
    without: 'if (sealedHash === 0) {',
    test: attacks,
    notices: 'cannot put a token of its own in the place of another',
  },
  {
    name: 'the end of a lease on what cannot be read',
    file: 'lib/redis/turns/begins.ts',
    guard: 'if (unreadable) await this.#leaveQueue(id, nonce);',
    without: 'void unreadable;',
    test: attacks,
    notices: 'makes nobody overwrite what cannot be read',
  },
  {
    name: 'the end of values with a turn that wrote nothing, without an L1',
    file: 'lib/redis/turns/leases.ts',
    guard: 'this.#core.known.sessions.turnEnded(sessionId, nonce);',
    without: 'void sessionId;',
    test: 'tests/redis/l1/off.test.ts',
    notices: 'keeps nothing beyond a turn that fails',
  },
  {
    name: 'the claim of a lane that is cleaned',
    file: 'lib/redis/sessions/sweeper.ts',
    guard: 'claims[lane] !== null',
    without: 'claims.length > 0',
    test: 'tests/redis/cleanup.test.ts',
    notices: 'is done by one instance at a time',
  },
  {
    name: 'the second look of a run that went on half-way',
    file: 'lib/redis/upkeep/rekeying.ts',
    guard: 'if (from !== undefined) await look(batchesOf({ until: from }));',
    without: '',
    test: 'tests/redis/encryption/rekey.test.ts',
    notices: 'leaves nothing behind that was written with the old key since it ended half-way',
  },
  {
    name: 'the question whether the server is still the same',
    file: 'lib/redis/core/stored-sessions.ts',
    guard: 'return error instanceof PutBackError && (await this.#link.identify(key));',
    without: 'return error === null;',
    test: attacks,
    notices: 'is told from an attack on a connection that stayed',
  },
  {
    name: 'the name under which a session entered',
    file: 'lib/redis/sessions/user-index.ts',
    guard: "return int(await this.#ask(name, ['confirm', id, epoch])) === 1;",
    without: "return int(await this.#ask(this.namesOf('ada')[0], ['confirm', id, epoch])) === 1;",
    test: 'tests/redis/encryption/user-names.test.ts',
    notices: 'no session is lost that is being created for a user',
  },
  {
    name: 'the cap over all names',
    file: 'lib/redis/sessions/user-index.ts',
    guard: 'if (maxPerUser === 0 || this.namesOf(userId).length === 1) return;',
    without: 'if (maxPerUser >= 0) return;',
    test: 'tests/redis/encryption/user-names.test.ts',
    notices: 'the cap holds for instances of both orders: evict_oldest',
  },
  {
    name: 'the look back for entries that move',
    file: 'lib/redis/sessions/user-index.ts',
    guard: 'for (const name of [...others, first, ...others]) {',
    without: 'for (const name of [first, ...others]) {',
    test: 'tests/redis/encryption/user-names.test.ts',
    notices: 'a user is ended with a session whose entry goes from one name to another just then',
  },
  {
    name: 'all names of a user',
    file: 'lib/redis/sessions/user-index.ts',
    guard: 'if (maxPerUser > 0) await this.gather(userId);',
    without: '',
    test: 'tests/redis/encryption/user-names.test.ts',
    notices: 'the cap counts what was given to a user under the key before',
  },
  {
    name: 'whose a session is that is evicted',
    file: 'lib/redis/sessions/user-index.ts',
    guard: 'if (incarnation !== null) await this.evict(id, incarnation);',
    without: "await this.evict(id, incarnation ?? '-');",
    test: 'tests/redis/faults/user-index.test.ts',
    notices:
      'a session that was to be evicted, and is another user’s by now, evicts nobody (create)',
  },
  {
    name: 'the digests under all keys',
    file: 'lib/redis/layout/request-digests.ts',
    guard: '...others.map(',
    without: '...others.slice(others.length).map(',
    test: requests,
    notices: 'a repeat gets the outcome, and another request is a mismatch',
  },
  {
    name: 'the encryption of what an attempt has stored',
    file: 'lib/redis/layout/records.ts',
    guard: "return typeof encoded === 'string' ? names.join(',') : encoded.toString('base64url');",
    without: "return encoded === null ? '' : names.join(',');",
    test: requests,
    notices:
      'tells nobody who guesses it: neither of a turn that runs, nor of one that failed or ended',
  },
  {
    name: 'the whole time of an import',
    file: 'lib/redis/upkeep/importing.ts',
    guard: 'now + Math.max(options.absoluteTimeoutMs, remainingMs)',
    without: 'now + options.absoluteTimeoutMs',
    test: imports,
    notices: 'keeps its time also where that is longer than the absolute timeout',
  },
  {
    name: 'the imported content that alone is removed',
    file: 'lib/migration/python-v2/originals.ts',
    guard: 'if value and redis.sha1hex(value) ~= ARGV[2] then return 0 end',
    without: '',
    test: 'tests/redis/originals.test.ts',
    notices: 'are removed only as they were read',
  },
  {
    name: 'the wait for a replica that its slot has left',
    file: 'lib/redis/connection/nodes/replication.ts',
    guard: "error instanceof RedisReplyError && error.code === 'MOVED'",
    without: "error instanceof RedisReplyError && error.code === ''",
    test: moves,
    notices: 'does not wait for a server that its slot has left',
  },
  {
    name: 'the connection to a primary of old that waits for replicas',
    file: 'lib/redis/connection/nodes/replication.ts',
    guard: "failure.code === 'READONLY'",
    without: "failure.code === ''",
    test: 'tests/redis/topologies/led-elsewhere.test.ts',
    notices: 'a replica of the new primary confirms what is written there',
  },
  {
    name: 'the channel that keeps no other from being heard',
    file: 'lib/redis/connection/nodes/subscriptions.ts',
    guard: 'if (!this.#isOfSlot(error)) throw error;',
    without: 'throw error;',
    test: moves,
    notices:
      'one channel whose slot has gone while nobody was connected keeps no other from being heard',
  },
  {
    name: 'the redirected subscription',
    file: 'lib/redis/connection/routes/cluster.ts',
    guard: 'if (redirect !== undefined) this.redirected(redirect, node);',
    without: '',
    test: 'tests/redis/topologies/cluster.test.ts',
    notices: 'an instance that has not heard of a move begins where the slot is now',
  },
  {
    name: 'the subscriptions that follow the commands to another server',
    file: 'lib/redis/connection/nodes/redis-node.ts',
    guard: 'for (const { current } of [this.#subscriber, this.replication.keeper]) {',
    without: 'for (const { current } of [this.replication.keeper]) {',
    test: 'tests/redis/topologies/led-elsewhere.test.ts',
    notices: 'who waits for a session is woken by the new primary, whatever the old one hears',
  },
];
