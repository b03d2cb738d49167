import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { SessionManager } from 'holdfast';
import { generateKey } from 'holdfast/encryption';
import type { RedisSessionStore } from 'holdfast/redis';
import { describe, expect, it } from 'vitest';
import { run } from '../../packages/holdfast/src/lib/cli/program.ts';
import { Keys } from '../../packages/holdfast/src/lib/redis/layout/keys.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { connected } from '../redis/connection/fixtures.ts';
import {
  command,
  expectAll,
  expected,
  keyFile,
  missing,
  patient,
  prefix,
  Scene,
  sessionsOf,
  withoutEnd,
} from './migration-scene.ts';
import { type PythonRecord, PythonV2 } from './python-v2.ts';

describe.skipIf(missing !== null)('sessions of Python v2.0', () => {
  const oldKey = generateKey();
  const password = 'correct horse, battery & staple';

  it.each([
    ['5,000 in the clear', 5_000, null, {}],
    ['500 in the clear, to be encrypted', 500, null, { SESSION_ENCRYPTION_KEY: generateKey() }],
    [
      '5,000 under a key that Holdfast’s ring has second',
      5_000,
      oldKey,
      { SESSION_ENCRYPTION_KEY: `${generateKey()},${oldKey}` },
    ],
    ['500 under the key that Holdfast has', 500, oldKey, { SESSION_ENCRYPTION_KEY: oldKey }],
    [
      '5,000 under a password',
      5_000,
      password,
      { SESSION_ENCRYPTION_KEY: generateKey(), PYTHON_V2_ENCRYPTION_KEY: password },
    ],
    ['500 under a password that is in a file', 500, password, {}],
  ] as const)('%s arrive, with all that they hold', async (name, count, key, env) => {
    const args = name.endsWith('file') ? ['--old-key-file', keyFile(password)] : [];
    const scene = await Scene.open(env);
    const shown = count.toLocaleString('en');
    const python = new PythonV2(scene.redis.url, key);
    const records = python.fill(count);
    const originals = python.read();
    const store = await scene.store();

    const dry = await scene.run(...args);
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toContain(`${shown} sessions found.\n  ${shown} to import\n`);
    expect(await store.countActive()).toBe(0);

    const began = Date.now();
    const applied = await scene.run(...args, '--apply');
    const ended = Date.now();
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(applied.stdout).toContain(`${shown} sessions found.\n  ${shown} imported\n`);
    expect(applied.stdout).toMatch(
      new RegExp(`^(?:[\\d,]+ of ${shown} sessions\\n){5,10}${shown} s`),
    );
    await expectAll(store, records);
    await expectEnds(scene, store, records, { began, ended });

    const again = await scene.report(...args, '--apply');
    expect(again).toMatchObject({ code: 0, found: count, failed: [], removed: 0 });
    expect(again.counts).toMatchObject({ unchanged: count, new: 0, changed: 0 });
    await expectAll(store, records);
    // As before, and as Python reads them: nothing there has changed.
    expect(python.read()).toEqual(originals);
    expect(Object.keys(originals.records)).toHaveLength(count);
  });
});

/** Each end is the original's, as exactly as the run was long; or the idle timeout from the import. */
async function expectEnds(
  { redis }: Scene,
  store: RedisSessionStore,
  records: readonly PythonRecord[],
  run: { readonly began: number; readonly ended: number },
): Promise<void> {
  const idleMs = 1_800_000;
  const sessions = await sessionsOf(store, records);
  const connection = await connected(redis.url);
  const before = Date.now();
  const ttls = await Promise.all(
    records.map(({ session_id: id }) => connection.send(['PTTL', prefix + id])),
  );
  const after = Date.now();
  const took = run.ended - run.began;
  const wrong = sessions.filter((session, at) => {
    const ttl = Number(ttls[at]);
    const end = session?.expiresAt ?? 0;
    const [from, to] =
      ttl > 0
        ? [before + ttl - took, after + ttl + took]
        : [run.began + idleMs - 1, run.ended + idleMs + 1];
    return end < from || end > to;
  });
  expect(wrong).toEqual([]);
  expect(ttls.filter((ttl) => ttl === -1)).toHaveLength(records.length / 50);
}

describe.skipIf(missing !== null)('a later run', () => {
  it('takes over what has changed, and lists what Holdfast has committed', async () => {
    const scene = await Scene.open({ SESSION_ENCRYPTION_KEY: generateKey() });
    const python = new PythonV2(scene.redis.url);
    const records = python.fill(20);
    const store = await scene.store();
    await store.create('session-3', { metadata: { by: 'Holdfast' } });
    expect((await scene.report('--apply')).kept.exists).toEqual(['session-3']);

    const changes = { message_count: 99, updated_at: '2026-01-02T03:04:05.678901' };
    const later = [1, 2, 4, 5].map((n) => python.update(n, changes));
    await store.update('session-2', { metadata: { by: 'Holdfast' } });
    await store.incrementCounter('session-6', 'messageCount');
    await store.delete('session-4');
    await store.delete('session-7');

    const dry = await scene.report();
    expect(dry).toMatchObject({ code: 0, applied: false, found: 20 });
    expect((await store.get('session-1', { fresh: true }))?.messageCount).toBe(1);
    const { code, applied, counts, kept, stdout } = {
      stdout: '',
      ...(await scene.report('--apply')),
    };
    expect({ code, applied, stdout }).toEqual({ code: 0, applied: true, stdout: '' });
    expect(counts).toEqual(dry.counts);
    expect(counts).toEqual({
      ...{ new: 0, changed: 2, unchanged: 14, ended: 1, committed: 1, deleted: 1, exists: 1 },
      ...{ expired: 0, failed: 0 },
    });
    expect(kept).toEqual({
      committed: ['session-2'],
      deleted: ['session-4'],
      exists: ['session-3'],
    });
    const [one, two, three, four, five, six] = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => store.get(`session-${n}`, { fresh: true })),
    );
    expect(withoutEnd(one ?? null)).toEqual(expected(later[0] as PythonRecord));
    expect(withoutEnd(five ?? null)).toEqual(expected(later[3] as PythonRecord));
    expect(two).toMatchObject({ version: 2, messageCount: 2, metadata: { by: 'Holdfast' } });
    expect(three).toMatchObject({ version: 1, userId: null, metadata: { by: 'Holdfast' } });
    expect(four).toBeNull();
    expect(six?.messageCount).toBe((records[6]?.message_count ?? 0) + 1);

    const text = await scene.run('--apply');
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain(
      'Changed since, and so in Holdfast: kept as they are there:\n  session-2\n',
    );
  });

  it('goes on where one was killed, and counts what is done', async () => {
    const scene = await Scene.open();
    const records = new PythonV2(scene.redis.url).fill(3_000);
    const killed = scene.start('--apply');
    const [, said = ''] = await killed.says(/([\d,]+) of 3,000 sessions/);
    await killed.stop();
    const { code, counts } = await scene.report('--apply');
    expect(code).toBe(0);
    expect(counts.unchanged).toBeGreaterThanOrEqual(Number(said.replace(',', '')));
    expect((counts.new ?? 0) + (counts.unchanged ?? 0)).toBe(3_000);
    const store = await scene.store();
    await expectAll(store, records);
    const userId = records[5]?.user_id ?? '';
    const { sessions } = await store.listActive({ userId });
    const theirs = records.filter(({ user_id }) => user_id === userId);
    expect(sessions.map(({ id }) => id).sort()).toEqual(
      theirs.map(({ session_id }) => session_id).sort(),
    );
  });

  it('goes on where one was stopped by a signal, which ends with 130', async () => {
    const scene = await Scene.open();
    const records = new PythonV2(scene.redis.url).fill(500);
    const stopping = new AbortController();
    let printed = '';
    const out = new Writable({
      write(chunk, _, done) {
        printed += chunk;
        stopping.abort();
        done();
      },
    });
    const err = new Writable({
      write(chunk, _, done) {
        printed += chunk;
        done();
      },
    });
    const env = { ...patient, SESSION_STORE_TYPE: 'redis', REDIS_URL: scene.redis.url };
    const terminal = { env, in: Readable.from([]), out, err, signal: stopping.signal };
    const code = await run([...command, '--apply'], terminal);
    expect(code).toBe(130);
    expect(printed).toBe('100 of 500 sessions\nStopped. Run it again to go on from there.\n');
    const { counts } = await scene.report('--apply');
    expect(counts).toMatchObject({ unchanged: 100, new: 400 });
    await expectAll(await scene.store(), records);
  });
});

describe.skipIf(missing !== null)('the way back', () => {
  it('of the documentation removes all that is Holdfast’s, and nothing of v2.0’s', async () => {
    const page = readFileSync(join(repositoryRoot, 'docs/migration.md'), 'utf8');
    const [, pattern = ''] = /redis-cli --scan --pattern '(.+)' \|/.exec(page) ?? [];
    const [, others = ''] = /redis-cli UNLINK (agent.+)/.exec(page) ?? [];
    const scene = await Scene.open({ SESSION_ENCRYPTION_KEY: generateKey() });
    const python = new PythonV2(scene.redis.url);
    const records = python.fill(50);
    const before = python.read();
    await scene.report('--apply');
    const sessions = new SessionManager({ store: await scene.store() });
    await sessions.turn('session-1', { idempotencyKey: 'k' }, async (turn) => {
      turn.append({ role: 'user', content: 'Hello' });
      turn.emit({ type: 'text', text: 'Hi' });
      return null;
    });
    await sessions.store.delete('session-2');
    await sessions.close();
    const keys = ((await scene.ask('KEYS', pattern)) as Buffer[]).map(String);
    await scene.ask('UNLINK', ...keys, ...others.split(' '));
    const left = ((await scene.ask('KEYS', '*')) as Buffer[]).map(String);
    // Claims of the background's cleaning, which end by themselves in a second or two.
    expect(left.filter((key) => !/^agent:session:c:\d+$/.test(key)).sort()).toEqual(
      [...records.map(({ session_id: id }) => prefix + id), `${prefix}active`].sort(),
    );
    expect(python.read()).toEqual(before);
    expect((await scene.report('--apply')).counts).toMatchObject({ new: 50, unchanged: 0 });
    await expectAll(await scene.store(), records);
  });
});

describe.skipIf(missing !== null)('--delete', () => {
  it('removes just the originals that are imported as they are now', async () => {
    const scene = await Scene.open();
    const python = new PythonV2(scene.redis.url);
    const records = python.fill(30);
    const store = await scene.store();
    await store.create('session-0');
    await scene.report('--apply');
    await store.update('session-1', { escalated: true });
    await store.update('session-2', { escalated: true });
    python.update(1, { message_count: 50 });
    python.update(3, { message_count: 51 });
    const before = await sessionsOf(store, records);

    const result = await scene.run('--delete');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('27 originals deleted.\n');
    const left = ['session-0', 'session-1', 'session-3'];
    expect(Object.keys(python.read().records).sort()).toEqual(left);
    expect(python.read().active).toEqual(left);
    expect(await sessionsOf(store, records)).toEqual(before);
    const keys = new Keys(prefix, 256);
    const noted = await Promise.all(
      records.map(({ session_id: id }) =>
        scene.ask('HEXISTS', keys.imports(keys.bucketOf(id)), id),
      ),
    );
    expect(records.filter((_, at) => noted[at] === 1).map(({ session_id }) => session_id)).toEqual([
      'session-1',
      'session-3',
    ]);

    const both = await scene.report('--apply', '--delete');
    expect(both).toMatchObject({ code: 0, found: 3, removed: 1 });
    expect(both.counts).toMatchObject({ changed: 1, committed: 1, exists: 1 });
    expect((await store.get('session-3', { fresh: true }))?.messageCount).toBe(51);
    expect(Object.keys(python.read().records).sort()).toEqual(['session-0', 'session-1']);
  });

  it('removes nothing that was never imported', async () => {
    const scene = await Scene.open();
    const python = new PythonV2(scene.redis.url);
    python.fill(10);
    expect(await scene.report('--delete')).toMatchObject({ code: 0, removed: 0, applied: false });
    expect(Object.keys(python.read().records)).toHaveLength(10);
    expect(await (await scene.store()).countActive()).toBe(0);
  });
});
