// Takes each guard of the library out, one at a time and in a copy, and runs the tests that should
// notice: a guard whose loss nobody notices is not tested. Run by `npm run test:guards`; with
// `--texts` it only checks that each guard still stands where it is taken out.
// @ts-check
import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { clientGuards } from './guards/clients.mjs';
import { encryptionGuards } from './guards/encryption.mjs';
import { library } from './guards/guard.mjs';
import { managerGuards } from './guards/manager.mjs';
import { memoryGuards } from './guards/memory.mjs';
import { redisGuards } from './guards/redis.mjs';
import { knowledgeGuards } from './guards/redis-knowledge.mjs';
import { scriptGuards } from './guards/redis-scripts.mjs';

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
const atOnce = 2;
const contract = `${library}/lib/memory/in-memory-session-store.contract.test.ts`;

/** @typedef {import('./guards/guard.mjs').Guard} Guard */

/** @type {readonly Guard[]} */
const guards = [
  ...memoryGuards,
  ...managerGuards,
  ...encryptionGuards,
  ...clientGuards,
  ...scriptGuards,
  ...redisGuards,
  ...knowledgeGuards,
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
