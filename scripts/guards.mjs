// Takes each guard of the library out, one at a time and in a copy, and runs the tests that should
// notice: a guard whose loss nobody notices is not tested. Run by `npm run test:guards`.
// @ts-check
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = path.join(root, 'packages', 'holdfast', 'src');
const atOnce = 2;
const contract = 'lib/memory/in-memory-session-store.contract.test.ts';
const driver = 'lib/memory/in-memory-session-store.test.ts';

/**
 * @typedef {object} Guard
 * @property {string} name
 * @property {string} file below the library's src
 * @property {string} guard what is taken out: stands exactly once in the file
 * @property {string} without what is put in its place
 * @property {string} [test] default: the contract suite
 */

/** @type {readonly Guard[]} */
const guards = [
  {
    name: 'the fence check',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease?.nonce === lease.nonce',
  },
  {
    name: 'the owner check',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease?.fence === lease.fence',
  },
  {
    name: 'the check that anybody holds the lease',
    file: 'lib/memory/lease-desk.ts',
    guard: 'record.lease?.nonce === lease.nonce && record.lease.fence === lease.fence',
    without: 'record.lease !== null && lease !== null',
  },
  {
    name: 'the end of a lease',
    file: 'lib/memory/lease-desk.ts',
    guard: 'if (held.until > this.#core.now()) return held;',
    without: 'return held;',
  },
  {
    name: 'the incarnation check',
    file: 'lib/memory/memory-core.ts',
    guard: 'if (record?.incarnation !== incarnation) throw gone(id);',
    without: 'if (record === null) throw gone(id + incarnation);',
  },
  {
    name: 'the idempotency digest',
    file: 'lib/memory/outcome-ledger.ts',
    guard: 'if (entry.requestDigest !== requestDigest) {',
    without: 'if (entry.requestDigest === null) {',
  },
  {
    name: 'the stored outcome',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (done !== null) {',
    without: 'if (done !== null && done.outcome === options) {',
  },
  {
    name: 'the skipping of effects that are stored',
    file: 'lib/manager/turn.ts',
    guard: 'if (this.#storedEffects.has(effect)) return false;',
    without: '',
  },
  {
    name: 'the FIFO queue',
    file: 'lib/memory/wait-queue.ts',
    guard: 'this.#waiters.append(waiter);',
    without: 'this.#waiters.insertAfter(null, waiter);',
  },
  {
    name: 'the interrupter’s place at the front',
    file: 'lib/memory/wait-queue.ts',
    guard: "if (waiter.options.onBusy !== 'interrupt') {",
    without: 'if (waiter.options !== null) {',
  },
  {
    name: 'the one commit of an interrupted holder',
    file: 'lib/memory/turn-engine.ts',
    guard: 'const goesOn = end.keep && held?.interrupted !== true;',
    without: 'const goesOn = end.keep;',
  },
  {
    name: 'the result of a repeated commit',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (repeated !== undefined) return repeated;',
    without: '',
  },
  {
    name: 'the frozen snapshot',
    file: 'lib/memory/session-record.ts',
    guard: 'const view: Session<Metadata> = Object.freeze({',
    without: 'const view: Session<Metadata> = ({',
  },
  {
    name: 'the copy of what was handed in',
    file: 'lib/json/json-value.ts',
    guard: 'return copy(value, what, 0);',
    without: 'copy(value, what, 0); return value as JsonValue;',
  },
  {
    name: 'the refusal of nested turns',
    file: 'lib/manager/turn-context.ts',
    guard: 'if (turn.active && turn.store === store && turn.sessionId === sessionId) {',
    without: "if (turn.active && turn.store === store && sessionId === '') {",
  },
  {
    name: 'exact expiry',
    file: 'lib/memory/memory-core.ts',
    guard: 'if (record.expiresAt > this.now()) return record;',
    without: 'if (record.expiresAt >= this.now()) return record;',
  },
  {
    name: 'the absolute timeout',
    file: 'lib/memory/session-record.ts',
    guard: 'this.#idleExpiresAt = Math.min(now + idleMs, this.absoluteExpiresAt);',
    without: 'this.#idleExpiresAt = now + idleMs;',
  },
  {
    name: 'the lease that holds off idle expiry',
    file: 'lib/memory/session-record.ts',
    guard: 'if (expiresAt <= this.expiresAt) return;',
    without: 'if (expiresAt > 0) return;',
  },
  {
    name: 'the user check',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (userId !== undefined && record.state.userId !== userId) throw notFound(record.id);',
    without: '',
  },
  {
    name: 'the token check',
    file: 'lib/memory/turn-engine.ts',
    guard: 'if (tokenHash !== undefined && !sameHash(record.credentials.tokenHash, tokenHash)) {',
    without: "if (tokenHash !== undefined && sameHash(null, '')) {",
  },
  {
    name: 'the second look at who has waited',
    file: 'lib/memory/turn-engine.ts',
    guard: '(record, options) => this.#admit(record, options) ?? this.#grant(record, options),',
    without: '(record, options) => this.#grant(record, options),',
  },
  {
    name: 'expiry under those who wait',
    file: 'lib/memory/lease-desk.ts',
    guard: 'if (record.expiresAt <= this.#core.now()) {',
    without: 'if (record.expiresAt < 0) {',
  },
  {
    name: 'the renewal of leases',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (store.locking && now >= this.#renewAt && !this.#renewing) void this.#renew(now);',
    without: 'void this.#renew;',
  },
  {
    name: 'the maximum of a turn',
    file: 'lib/manager/lease-keeper.ts',
    guard: 'if (now >= this.#stopAt) {',
    without: 'if (now < 0) {',
  },
  {
    name: 'eviction that spares sessions in a turn',
    file: 'lib/memory/session-table.ts',
    guard: 'const leaseEnded = record.lease !== null && record.lease.until <= now;',
    without: 'const leaseEnded = record.lease !== null && now > 0;',
    test: driver,
  },
];

/**
 * @param {Guard | null} guard `null` takes nothing out
 * @returns {Promise<string | null>} the first case that failed; `null` when all passed
 */
async function firstFailure(guard) {
  const copy = await mkdtemp(path.join(tmpdir(), 'holdfast-guard-'));
  try {
    await cp(source, path.join(copy, 'src'), { recursive: true });
    await symlink(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    await writeFile(path.join(copy, 'package.json'), '{ "type": "module" }\n');
    if (guard !== null) await takeOut(guard, path.join(copy, 'src', guard.file));
    return await runTests(copy, guard?.test ?? contract);
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
  if (text.split(guard).length !== 2) {
    throw new Error(`"${guard}" must stand exactly once in ${path.basename(file)}`);
  }
  await writeFile(
    file,
    text.replace(guard, () => without),
  );
}

/**
 * @param {string} folder
 * @param {string} test
 * @returns {Promise<string | null>}
 */
async function runTests(folder, test) {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const results = path.join(folder, 'results.json');
  // The first red case is enough; without its guard another may take its whole time to fail.
  const args = ['run', '--root', folder, '--bail', '1', '--reporter=json', `src/${test}`];
  await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args, `--outputFile=${results}`], {
      stdio: 'ignore',
    });
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const { numTotalTests, testResults } = JSON.parse(await readFile(results, 'utf8'));
  // A copy that does not even load proves nothing.
  if (numTotalTests === 0) throw new Error(`No case of ${test} ran.`);
  for (const { assertionResults } of testResults) {
    for (const { status, title } of assertionResults) if (status === 'failed') return title;
  }
  return null;
}

const only = process.argv[2];
const chosen = guards.filter(({ name }) => only === undefined || name.includes(only));
const waiting = [...chosen];
let unnoticed = 0;

async function work() {
  for (let guard = waiting.shift(); guard !== undefined; guard = waiting.shift()) {
    const failed = await firstFailure(guard);
    if (failed === null) unnoticed += 1;
    console.log(`without ${guard.name}: ${failed === null ? 'NOT NOTICED' : `red in "${failed}"`}`);
  }
}

const control = await firstFailure(null);
if (control !== null) throw new Error(`With every guard in place "${control}" fails.`);
await Promise.all(Array.from({ length: atOnce }, work));
console.log(`${chosen.length - unnoticed} passed, ${unnoticed} failed`);
process.exitCode = unnoticed === 0 ? 0 : 1;
