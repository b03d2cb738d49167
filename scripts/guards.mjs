// Takes each guard of the library out, one at a time and in a copy, and runs the tests that should
// notice: a guard whose loss nobody notices is not tested. Run by `npm run test:guards`; with
// `--texts` it only checks that each guard still stands where it is taken out.
// @ts-check
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What a copy consists of, next to a link to the installed packages. */
const copied = [
  'package.json',
  'tsconfig.json',
  'tsconfig.base.json',
  'vitest.config.ts',
  'scripts',
  'tests',
  'packages/holdfast',
];
const library = 'packages/holdfast/src';
const atOnce = 2;
const contract = `${library}/lib/memory/in-memory-session-store.contract.test.ts`;
const driver = `${library}/lib/memory/in-memory-session-store.test.ts`;
const fingerprints = `${library}/lib/fingerprint/fingerprinter.test.ts`;
const proxies = `${library}/lib/http/client-from.test.ts`;
const onRedis = 'tests/redis/contract.test.ts';
const encryption = `${library}/lib/encryption`;
const attacks = 'tests/redis/encryption/attacks.test.ts';
const kept = 'tests/redis/l1/l1.test.ts';
const keptHistory = 'tests/redis/l1/history.test.ts';
const memory = 'tests/redis/l1/memory.test.ts';
const imports = 'tests/redis/importing.test.ts';
const requests = 'tests/redis/encryption/requests.test.ts';

/**
 * @typedef {object} Guard
 * @property {string} name
 * @property {string} file below the library's src
 * @property {string} guard what is taken out: stands exactly once in the file
 * @property {string} without what is put in its place
 * @property {string} [test] default: the contract suite, in memory
 * @property {string} notices the case that must go red
 */

/** @type {readonly Guard[]} */
const guards = [
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
    name: 'the skipping of effects that are stored',
    file: 'lib/manager/turn.ts',
    guard: 'if (this.#storedEffects.has(effect)) return false;',
    without: '',
    notices: 'law 6: after an error behind a checkpoint, the repeat stores only what is new',
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
    guard: 'if (repeated !== undefined) return repeated;',
    without: '',
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
    name: 'the copy of what was handed in',
    file: 'lib/json/json-value.ts',
    guard: 'return copy(value, [what]);',
    without: 'copy(value, [what]); return value as JsonValue;',
    notices: 'law 8: what was handed out never changes, and what was handed in is copied',
  },
  {
    name: 'the refusal of nested turns',
    file: 'lib/manager/turn-context.ts',
    guard: 'if (turn.active && turn.store === store && turn.sessionId === sessionId) {',
    without: "if (turn.active && turn.store === store && sessionId === '') {",
    notices: 'a turn inside a turn on the same session is refused at once',
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
    guard: 'if (expiresAt <= this.expiresAt) return;',
    without: 'if (expiresAt > 0) return;',
    notices: 'renewal keeps a long turn’s session, at a third of the lease',
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
    name: 'the renewal of leases',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (store.locking && now >= this.#renewAt && !this.#renewing) void this.#renew(now);',
    without: 'void this.#renew;',
    notices: 'renewal keeps a long turn’s session, at a third of the lease',
  },
  {
    name: 'the maximum of a turn',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (now >= this.#stopAt) {',
    without: 'if (now < 0) {',
    notices: 'a turn over its maximum is stopped, and frees the session',
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
    name: 'the fence check on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: 'local held = H[O] == ARGV[6] and H[F] == ARGV[7]',
    without: 'local held = H[O] == ARGV[6]',
    test: onRedis,
    notices: 'law 3: a right fence under a wrong owner is refused',
  },
  {
    name: 'the owner check on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: 'local held = H[O] == ARGV[6] and H[F] == ARGV[7]',
    without: 'local held = H[F] == ARGV[7]',
    test: onRedis,
    notices: 'law 3: a right fence under a wrong owner is refused',
  },
  {
    name: 'the end of a lease on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: 'if not held or tonumber(H[LU]) <= now then',
    without: 'if not held then',
    test: onRedis,
    notices: 'law 3: a commit after the lease’s end is refused, also when nobody took over',
  },
  {
    name: 'the incarnation check on Redis',
    file: 'lib/redis/scripts/keep.lua',
    guard: "if H[INC] ~= ARGV[4] or not alive(H) then return { 'gone' } end",
    without: "if not alive(H) then return { 'gone' } end",
    test: onRedis,
    notices: 'law 5: a turn cannot write into a new session of the same id',
  },
  {
    name: 'exact expiry on Redis',
    file: 'lib/redis/scripts/parts/header.lua',
    guard: '(now < tonumber(H[IE]) or now < tonumber(H[LU]))',
    without: '(now <= tonumber(H[IE]) or now <= tonumber(H[LU]))',
    test: onRedis,
    notices: 'law 7: the idle timeout is exact to the millisecond',
  },
  {
    name: 'the absolute timeout on Redis',
    file: 'lib/redis/scripts/parts/header.lua',
    guard: 'now < tonumber(H[AB]) and ',
    without: '',
    test: onRedis,
    notices: 'law 7: law 5: a turn cannot outlive the absolute timeout, nor write behind it',
  },
  {
    name: 'the FIFO queue on Redis',
    file: 'lib/redis/scripts/begin.lua',
    guard: '  H[QT] = H[QT] + 1\n',
    without: '  H[QT] = H[QT] - 1\n',
    test: onRedis,
    notices: 'law 3: at most one holder, whoever asks and from wherever',
  },
  {
    name: 'the interrupter’s place at the front on Redis',
    file: 'lib/redis/scripts/begin.lua',
    guard: "ARGV[6] == 'interrupt' and H[QT] or WAITERS + H[QT]",
    without: 'WAITERS + H[QT]',
    test: onRedis,
    notices: 'an interrupter goes first, and the holder may commit once',
  },
  {
    name: 'the result of a repeated write on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: 'local earlier = same and repeated(ARGV[4])',
    without: 'local earlier = nil',
    test: onRedis,
    notices: 'law 10: a write repeated under its nonce takes effect once',
  },
  {
    name: 'the etag of a state that is merged on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: '    state = at\n    moved = moved or ARGV[at + 1] ~= H[SN]\n',
    without: '    state = at\n',
    test: onRedis,
    notices: 'law 2: 1,000 concurrent updates of different keys keep all',
  },
  {
    name: 'the place of a message on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: "moved = moved or ARGV[at + 1] ~= H[INC] .. ':' .. H[MS]",
    without: '',
    test: onRedis,
    notices: 'concurrent appends from three writers are all there, each batch together',
  },
  {
    name: 'the one commit of an interrupted holder on Redis',
    file: 'lib/redis/scripts/write.lua',
    guard: "local ends = owned and (ARGV[8] == 'end' or has(H, 'i'))",
    without: "local ends = owned and ARGV[8] == 'end'",
    test: onRedis,
    notices: 'an interrupted holder that checkpoints has had its one commit',
  },
  {
    name: 'the second look at who has waited on Redis',
    file: 'lib/redis/scripts/begin.lua',
    guard: 'local refusal\n',
    without: "local refusal\nif mine then ARGV[9], ARGV[10] = '*', '*' end\n",
    test: onRedis,
    notices: 'law 12: who may come in is asked again when the wait is over',
  },
  {
    name: 'the fence of removed sessions on Redis',
    file: 'lib/redis/scripts/parts/removal.lua',
    guard: 'if not floor or tonumber(floor) < tonumber(H[F]) then',
    without: 'if false then',
    test: onRedis,
    notices: 'law 3: fencing tokens only grow, over turns and over creations of the id',
  },
  {
    name: 'the length of authentication tags',
    file: 'lib/encryption/aes-gcm.ts',
    guard: 'const wholeTag = { authTagLength: tagBytes } as const;',
    without: 'const wholeTag = {};',
    test: `${encryption}/aes-gcm.test.ts`,
    notices: 'refuses what is right, with a shorter tag',
  },
  {
    name: 'the check of additional data',
    file: 'lib/encryption/aes-gcm.ts',
    guard: '  decipher.setAAD(aad);\n',
    without: '',
    test: `${encryption}/aes-gcm.test.ts`,
    notices: 'opens what is right',
  },
  {
    name: 'the kind of record in what is authenticated',
    file: 'lib/encryption/place.ts',
    guard: 'recordText({ kind, position }: RecordPlace)',
    without: "recordText({ position }: RecordPlace, kind = '')",
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'swap: every part of its place',
  },
  {
    name: 'the position in what is authenticated',
    file: 'lib/encryption/place.ts',
    guard: "typeof position === 'number' ? position : JSON.stringify(position)",
    without: 'position === undefined',
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'swap: every part of its place',
  },
  {
    name: 'the session in what is authenticated',
    file: 'lib/encryption/place.ts',
    guard: 'namespace, sessionId, incarnation])',
    without: 'namespace])',
    test: `${encryption}/place.test.ts`,
    notices: 'a place has the text that records from before are bound to',
  },
  {
    name: 'the key id in what is authenticated',
    file: 'lib/encryption/place.ts',
    guard: '[label, keyId, namespace,',
    without: '[label, namespace,',
    test: `${encryption}/place.test.ts`,
    notices: 'a place has the text that records from before are bound to',
  },
  {
    name: 'the session in what its key is derived from',
    file: 'lib/encryption/subkeys.ts',
    guard: 'key.derive([this.#use, sessionId, incarnation], this.#salt)',
    without: 'key.derive([this.#use], this.#salt)',
    test: `${encryption}/subkeys.test.ts`,
    notices:
      'is its own: of the use, the namespace, the ring’s key, the session and the incarnation',
  },
  {
    name: 'the namespace in what keys are derived from',
    file: 'lib/encryption/subkeys.ts',
    guard: 'this.#salt = saltOf(namespace);',
    without: "this.#salt = saltOf('');",
    test: `${encryption}/subkeys.test.ts`,
    notices:
      'is its own: of the use, the namespace, the ring’s key, the session and the incarnation',
  },
  {
    name: 'the incarnation of a kept key',
    file: 'lib/encryption/subkeys.ts',
    guard: 'if (found?.incarnation === incarnation) return found.subkey;',
    without: 'if (found !== undefined) return found.subkey;',
    test: `${encryption}/subkeys.test.ts`,
    notices:
      'is its own: of the use, the namespace, the ring’s key, the session and the incarnation',
  },
  {
    name: 'the refusal of unknown key ids',
    file: 'lib/encryption/aes-records.ts',
    guard: 'if (ringKey === undefined) throw this.#unknownKey(envelope, place);',
    without: "if (ringKey === undefined) return Buffer.from('null');",
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'tamper: every byte of every field',
  },
  {
    name: 'the least length of an envelope',
    file: 'lib/encryption/aes-records.ts',
    guard: 'if (envelope.length < ciphertextAt + tagBytes) {',
    without: 'if (envelope.length < 0) {',
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'truncate and extend, everywhere',
  },
  {
    name: 'the refusal of plain text',
    file: 'lib/encryption/create-codec.ts',
    guard: 'if (this.#allowPlaintext) return parse(bytes, place);',
    without: 'return parse(bytes, place);',
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'tamper: every byte in front',
  },
  {
    name: 'the place inside a Fernet record',
    file: 'lib/encryption/fernet-records.ts',
    guard: 'if (this.#digestOf(place).equals(bytes.subarray(0, digestBytes))) {',
    without: 'if (bytes.length >= digestBytes) {',
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'the other cipher’s records are read',
  },
  {
    name: 'the HMAC of a Fernet record',
    file: 'lib/encryption/fernet-records.ts',
    guard: 'if (!isAuthentic(key, token)) continue;',
    without: '',
    test: `${encryption}/codec-suite.test.ts`,
    notices: 'tamper: every byte of every field',
  },
  {
    name: 'the HMAC of a Fernet token, before its padding',
    file: 'lib/encryption/fernet.ts',
    guard: 'if (!isAuthentic(keys, read)) {',
    without: 'if (openToken(keys, read) && !isAuthentic(keys, read)) {',
    test: `${encryption}/fernet.test.ts`,
    notices: 'is not looked into before its HMAC is right',
  },
  {
    name: 'the HMAC of a Fernet token',
    file: 'lib/encryption/fernet.ts',
    guard: 'if (!isAuthentic(keys, read)) {',
    without: 'if (read === null) {',
    test: `${encryption}/fernet.test.ts`,
    notices: "invalid: 'incorrect mac'",
  },
  {
    name: 'the time to live of a Fernet token',
    file: 'lib/encryption/fernet.ts',
    guard: 'made + ttlSeconds < now',
    without: 'made + ttlSeconds < now - 1',
    test: `${encryption}/fernet.test.ts`,
    notices: 'lives as long as it may, to the second',
  },
  {
    name: 'the clock skew of a Fernet token',
    file: 'lib/encryption/fernet.ts',
    guard: 'if (made > now + clockSkewSeconds) {',
    without: 'if (made > now + clockSkewSeconds + 1) {',
    test: `${encryption}/fernet.test.ts`,
    notices: 'may be 60 seconds ahead, and no more, with the TTL undefined',
  },
  {
    name: 'the one spelling of a Fernet token',
    file: 'lib/encryption/fernet-token.ts',
    guard: 'if (textOfToken(bytes) === token) return bytes;',
    without: "if (token !== '') return bytes;",
    test: `${encryption}/fernet.test.ts`,
    notices: "invalid: 'invalid base64'",
  },
  {
    name: 'the version of a Fernet token',
    file: 'lib/encryption/fernet-token.ts',
    guard: 'if (signed[0] !== tokenVersion) {',
    without: 'if (signed.length === 0) {',
    test: `${encryption}/fernet.test.ts`,
    notices: 'is not looked into before its HMAC is right',
  },
  {
    name: 'the refilling of the pool of nonces',
    file: 'lib/encryption/nonces.ts',
    guard: '    randomFillSync(pool);\n',
    without: '    if (pool[0] === 0 && pool[1] === 0) randomFillSync(pool);\n',
    test: 'tests/nonces.test.ts',
    notices: 'a nonce is never drawn twice, whatever a process forks and starts',
  },
  {
    name: 'the pool of nonces that stays out of snapshots',
    file: 'lib/encryption/nonces.ts',
    guard: '    pool.fill(0);\n    used = pool.length;\n',
    without: '',
    test: 'tests/nonces.test.ts',
    notices: 'a nonce is never drawn twice by processes that start from one snapshot',
  },
  {
    name: 'the check of a turn’s client',
    file: 'lib/manager/turn-runner.ts',
    guard:
      'const clientChanges = access.checkClient(begun.session, begun.credentials, options.client);',
    without: 'const clientChanges: string[] = [];',
    notices: 'a client that does not match is reported, and told to the turn',
  },
  {
    name: 'the check of a repeated turn’s client',
    file: 'lib/manager/turn-runner.ts',
    guard:
      '      access.checkClient(begun.session, begun.credentials, options.client);\n      observer',
    without: '      observer',
    notices: 'strictly bound, it is refused, and nothing changes',
  },
  {
    name: 'the check of an authenticated client',
    file: 'lib/manager/session-manager.ts',
    guard: '      hash,\n    );\n    this.#access.checkClient(session, credentials, client);',
    without: '      hash,\n    );\n    void credentials;',
    notices: 'a client that does not match is reported, and told to the turn',
  },
  {
    name: 'the refusal of a client that differs',
    file: 'lib/manager/access.ts',
    guard: 'if (strict) throw new FingerprintMismatchError(',
    without: 'if (strict === null) throw new FingerprintMismatchError(',
    notices: 'strictly bound, it is refused, and nothing changes',
  },
  {
    name: 'the refusal of a fingerprint under a key that is gone',
    file: 'lib/fingerprint/fingerprinter.ts',
    guard: "if (key === undefined) return ['unknown_key'];",
    without: 'if (key === undefined) return [];',
    test: fingerprints,
    notices: 'that are gone leave nothing to compare, which is no match',
  },
  {
    name: 'the comparison of networks',
    file: 'lib/fingerprint/fingerprinter.ts',
    guard: 'if (this.#bindsIp && differs(stored.ip, key.network(ipAddress)))',
    without: 'if (this.#bindsIp && differs(undefined, key.network(ipAddress)))',
    test: fingerprints,
    notices: 'is noticed by its address: the next IPv4 network',
  },
  {
    name: 'the key of a fingerprint',
    file: 'lib/fingerprint/feature-key.ts',
    guard: 'this.#key = createSecretKey(key);',
    without: 'this.#key = createSecretKey(Buffer.alloc(key.length));',
    test: fingerprints,
    notices: 'has another hash for each feature and under each key',
  },
  {
    name: 'the feature in its hash',
    file: 'lib/fingerprint/feature-key.ts',
    guard: "os: this.#hash('os', os),",
    without: "os: this.#hash('device', os),",
    test: fingerprints,
    notices: 'has another hash for each feature and under each key',
  },
  {
    name: 'the absence of a User-Agent',
    file: 'lib/fingerprint/user-agent.ts',
    guard: "{ browser: '', os: '', device: '' }",
    without: "{ browser: 'curl', os: 'unknown', device: 'unknown' }",
    test: fingerprints,
    notices: 'is noticed by its User-Agent: a User-Agent where there was none',
  },
  {
    name: 'IPv4 addresses mapped to IPv6',
    file: 'lib/net/ip-address.ts',
    guard: 'return ipaddr.process(address);',
    without: 'return ipaddr.parse(address);',
    test: fingerprints,
    notices: 'may have another address: one mapped to IPv6',
  },
  {
    name: 'the refusal of addresses that only look like one',
    file: 'lib/net/ip-address.ts',
    guard: 'if (isIP(text) === 0) return null;',
    without: 'if (isIP(text) === 0 && !ipaddr.isValid(text)) return null;',
    test: fingerprints,
    notices: 'is noticed by its address: zeros that some read as octal',
  },
  {
    name: 'the trust in who connects',
    file: 'lib/http/client-from.ts',
    guard: 'if (!trust(address, hop)) return address;',
    without: '',
    test: proxies,
    notices: 'believes no X-Forwarded-For unless it is told of a proxy',
  },
  {
    name: 'the trust in each further proxy',
    file: 'lib/http/client-from.ts',
    guard: '    if (!trust(address, hop)) break;\n',
    without: '',
    test: proxies,
    notices: 'with what the client wrote itself',
  },
  {
    name: 'the number of trusted proxies',
    file: 'lib/http/client-from.ts',
    guard: 'hop < proxies',
    without: 'hop <= proxies',
    test: proxies,
    notices: 'with none',
  },
  {
    name: 'the order of X-Forwarded-For',
    file: 'lib/http/forwarded.ts',
    guard: "list.split(',').reverse()",
    without: "list.split(',')",
    test: proxies,
    notices: 'with what the client wrote itself',
  },
  {
    name: 'the one header that is read',
    file: 'lib/http/forwarded.ts',
    guard: 'if (list !== undefined) {',
    without: "if (list !== undefined && readHeader(headers, 'forwarded') === undefined) {",
    test: proxies,
    notices: 'is not read where there is X-Forwarded-For: "203.0.113.9"',
  },
  {
    name: 'the quotes in Forwarded',
    file: 'lib/http/forwarded.ts',
    guard: "if (header[at] !== ',' || quoted) continue;",
    without: "if (header[at] !== ',') continue;",
    test: proxies,
    notices: 'with commas and quotes in quotes',
  },
  {
    name: 'the escaped quotes in Forwarded',
    file: 'lib/http/forwarded.ts',
    guard: "if (header[at] === '\"' && !isEscaped(header, at)) quoted = !quoted;",
    without: "if (header[at] === '\"') quoted = !quoted;",
    test: proxies,
    notices: 'with commas and quotes in quotes',
  },
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
    name: 'the token among what contradicts',
    file: 'lib/redis/known/floors.ts',
    guard: 'sameCredentials && after.tokenHash !== before.tokenHash',
    without: 'sameCredentials && after.tokenHash === null',
    test: attacks,
    notices: 'cannot hide messages from a process that has seen them',
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
    name: 'the comparison before what is encoded anew',
    file: 'lib/redis/scripts/rekey.lua',
    guard: "if not old or redis.sha1hex(old) ~= ARGV[at + 2] then return { 'moved' } end",
    without: "if not old then return { 'moved' } end",
    test: 'tests/redis/encryption/rekey.test.ts',
    notices: 'puts nothing old over what was written while it read',
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
    name: 'the end of a session in the news',
    file: 'lib/redis/scripts/remove.lua',
    guard: 'changed(H[INC])',
    without: 'changed()',
    test: memory,
    notices: 'goes when another instance deletes the session',
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
    name: 'the end of values with a turn that wrote nothing, without an L1',
    file: 'lib/redis/turns/leases.ts',
    guard: 'this.#core.known.sessions.turnEnded(sessionId, nonce);',
    without: 'void sessionId;',
    test: 'tests/redis/l1/off.test.ts',
    notices: 'keeps nothing beyond a turn that fails',
  },
  {
    name: 'fencing tokens that a failover does not set back',
    file: 'lib/redis/scripts/begin.lua',
    guard: 'local fence = math.max(clock[1] * 1000000 + clock[2], H[F] + 1)',
    without: 'local fence = H[F] + 1',
    test: 'tests/redis/topologies/after-a-failover.test.ts',
    notices: 'fencing tokens go on from where they were',
  },
  {
    name: 'the same reply for a wrong token as for no session',
    file: 'lib/redis/scripts/read.lua',
    guard: "if not alive(H) or ARGV[2] ~= '*' and ARGV[2] ~= H[TOK] then return {} end",
    without: 'if not alive(H) then return {} end',
    test: 'tests/redis/encryption/wrong-tokens.test.ts',
    notices: 'a wrong token and no session take the same',
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
    name: 'the once of an expiry',
    file: 'lib/redis/scripts/remove.lua',
    guard: "indexed == 1 and 'vanished' or 'none'",
    without: "'vanished'",
    test: 'tests/redis/cleanup.test.ts',
    notices: 'tells once of each session that expires, whichever of three instances removes it',
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
    name: 'the order of sessions of one id',
    file: 'lib/redis/known/floors.ts',
    guard: "return isEarlier ? 'it is an earlier session of this id' : null;",
    without: 'return null;',
    test: attacks,
    notices: 'cannot put an earlier session in the place of a later one of its id',
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
    name: 'the key of a request’s digest',
    file: 'lib/encryption/create-codec.ts',
    guard: 'return this.#underAll(digest, under, true);',
    without: 'return [digest, ...this.#underAll(digest, under, true)];',
    test: requests,
    notices:
      'tells nobody who guesses it: neither of a turn that runs, nor of one that failed or ended',
  },
  {
    name: 'the place of a request’s digest',
    file: 'lib/encryption/create-codec.ts',
    guard: 'JSON.stringify([sessionId, position, digest])',
    without: 'JSON.stringify([sessionId.length, position, digest])',
    test: requests,
    notices: 'does not show that two requests were the same',
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
    name: 'the comparison of digests under a key that is there',
    file: 'lib/redis/scripts/begin.lua',
    guard: "return not key_id or string.find(ARGV[12], ' =' .. key_id .. '.', 1, true) ~= nil",
    without: 'return false',
    test: requests,
    notices: 'a repeat gets the outcome, and another request is a mismatch',
  },
  {
    name: 'the pass for a digest under a key that is gone',
    file: 'lib/redis/scripts/begin.lua',
    guard: "return not key_id or string.find(ARGV[12], ' =' .. key_id .. '.', 1, true) ~= nil",
    without: 'return true',
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
    name: 'the version that an import may replace',
    file: 'lib/redis/scripts/import.lua',
    guard: 'H[INC] == incarnation and H[V] == version and not held',
    without: 'H[INC] == incarnation and not held',
    test: imports,
    notices: 'leaves what was committed here, and says so only if the original has changed',
  },
  {
    name: 'the turn that keeps an import off',
    file: 'lib/redis/scripts/import.lua',
    guard: 'H[INC] == incarnation and H[V] == version and not held',
    without: 'H[INC] == incarnation and H[V] == version',
    test: imports,
    notices: 'leaves what a turn is at work on',
  },
  {
    name: 'the end that no import undoes',
    file: 'lib/redis/scripts/import.lua',
    guard: "if now >= tonumber(ends) then return 'new' end",
    without: "if now then return 'new' end",
    test: imports,
    notices: 'does not bring back what was deleted here',
  },
  {
    name: 'the fencing token of an import',
    file: 'lib/redis/scripts/import.lua',
    guard: "string.format('%.0f', math.max(clock[1] * 1000000 + clock[2], floor + 1))",
    without: 'floor',
    test: imports,
    notices: 'is not taken for one put back by an instance that knew a later session of its id',
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
];

/**
 * @param {Guard | null} guard `null` takes nothing out
 * @param {string} test
 * @param {readonly string[]} cases of it that run
 * @returns {Promise<string | null>} the first case that failed; `null` when all passed
 */
async function firstFailure(guard, test, cases) {
  const copy = await mkdtemp(path.join(tmpdir(), 'holdfast-guard-'));
  try {
    for (const name of copied) {
      const filter = (/** @type {string} */ file) => !/[/](dist|node_modules)$/.test(file);
      await cp(path.join(root, name), path.join(copy, name), { recursive: true, filter });
    }
    for (const name of ['node_modules', 'packages/holdfast/node_modules']) {
      await symlink(path.join(root, name), path.join(copy, name));
    }
    if (guard !== null) await takeOut(guard, path.join(copy, library, guard.file));
    return await runTests(copy, test, cases);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/**
 * @param {Guard} guard
 * @param {string} file
 */
async function takeOut({ guard, without }, file) {
  const text = await readFile(file, 'utf8');
  assertOnce(guard, file, text);
  await writeFile(
    file,
    text.replace(guard, () => without),
  );
}

/**
 * @param {string} guard
 * @param {string} file
 * @param {string} text
 */
function assertOnce(guard, file, text) {
  if (text.split(guard).length !== 2) {
    throw new Error(`"${guard}" must stand exactly once in ${path.basename(file)}`);
  }
}

/**
 * @param {string} folder
 * @param {string} test
 * @param {readonly string[]} cases
 * @returns {Promise<string | null>}
 */
async function runTests(folder, test, cases) {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const results = path.join(folder, 'results.json');
  const titles = cases.map((title) => title.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  const args = ['run', '--root', folder, '--bail', '1', '--reporter=json', '-t', titles, test];
  await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args, `--outputFile=${results}`], {
      stdio: 'ignore',
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(
    await readFile(results, 'utf8'),
  );
  // A copy that does not even load proves nothing.
  if (numPassedTests + numFailedTests === 0) throw new Error(`No case of ${test} ran.`);
  for (const { assertionResults } of testResults) {
    for (const { status, title } of assertionResults) if (status === 'failed') return title;
  }
  return null;
}

if (process.argv[2] === '--texts') {
  for (const { guard, file } of guards) {
    assertOnce(guard, file, await readFile(path.join(root, library, file), 'utf8'));
  }
  console.log(`${guards.length} guards stand where they are taken out.`);
  process.exit();
}

const only = process.argv[2];
const chosen = guards.filter(({ name }) => only === undefined || name.includes(only));
const waiting = [...chosen];
let unnoticed = 0;

async function work() {
  for (let guard = waiting.shift(); guard !== undefined; guard = waiting.shift()) {
    const failed = await firstFailure(guard, guard.test ?? contract, [guard.notices]);
    if (failed === null) unnoticed += 1;
    console.log(`without ${guard.name}: ${failed === null ? 'NOT NOTICED' : `red in "${failed}"`}`);
  }
}

for (const test of new Set(chosen.map(({ test = contract }) => test))) {
  const cases = chosen.filter((guard) => (guard.test ?? contract) === test);
  const control = await firstFailure(
    null,
    test,
    cases.map(({ notices }) => notices),
  );
  if (control !== null) throw new Error(`With every guard in place "${control}" fails.`);
}
await Promise.all(Array.from({ length: atOnce }, work));
console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
process.exitCode = unnoticed === 0 ? 0 : 1;
