import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { SessionManager } from 'holdfast';
import { createCodec, generateKey, KeyRing } from 'holdfast/encryption';
import { RedisSessionStore } from 'holdfast/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../../packages/holdfast/src/lib/cli/program.ts';
import type { Session } from '../../packages/holdfast/src/lib/model/session.ts';
import { Keys } from '../../packages/holdfast/src/lib/redis/keys.ts';
import { SecretWatch } from '../../packages/support-agent/src/testing/secret-watch.ts';
import { repositoryRoot } from '../helpers/repository.ts';
import { connected } from '../redis/connection/fixtures.ts';
import { holdfast } from '../server/server-on-redis.ts';
import { RedisCluster } from '../servers/redis-cluster.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { type PythonRecord, PythonV2, whyNoPython } from './python-v2.ts';

const missing = whyNoPython();
if (missing !== null) console.warn(`Skipped: ${missing}`);

const prefix = 'agent:session:';
const command = ['migrate', 'python-v2'];

/** A server that the command has no warning about. */
const durable = { args: ['--appendonly', 'yes', '--appendfsync', 'no'] };

/** Against hangs only: other tests may have the machine. */
const patient = { REDIS_SOCKET_TIMEOUT: '60', REDIS_SOCKET_CONNECT_TIMEOUT: '60' };
const patience = { timeoutMs: 60_000, connectTimeoutMs: 60_000 };

interface Report {
  readonly applied: boolean;
  readonly deleting: boolean;
  readonly found: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly kept: Readonly<Record<string, readonly string[]>>;
  readonly failed: readonly { readonly id: string; readonly reason: string }[];
  readonly removed: number;
}

/** The command on one Redis. What it prints fits a terminal and has nothing that is secret. */
class Scene {
  readonly redis: RedisServer;
  readonly env: Readonly<Record<string, string>>;
  readonly #secrets: SecretWatch;
  #printed = '';

  private constructor(redis: RedisServer, env: Record<string, string>) {
    this.redis = redis;
    this.env = env;
    this.#secrets = new SecretWatch(() => this.#printed);
    for (const [name, value] of Object.entries(env)) {
      if (/KEY$|URL$/.test(name)) this.#secrets.keep(value);
    }
    // Of what the sessions hold.
    for (const text of ['user:1@example.org', 'a "quoted" \\ text', 'customer-secret-7f3a9c']) {
      this.#secrets.keep(text);
    }
  }

  static async open(env: Record<string, string> = {}): Promise<Scene> {
    const redis = await startRedis(durable);
    onTestFinished(() => redis.stop());
    return new Scene(redis, env);
  }

  start(...args: string[]) {
    return holdfast(this.redis.url, [...command, ...args], { ...patient, ...this.env });
  }

  async run(...args: string[]) {
    const running = this.start(...args);
    const { code } = await running.exit;
    const { stdout, stderr } = running;
    this.#printed += stdout + stderr;
    const lines = args.includes('--json') ? [] : (stdout + stderr).split('\n');
    expect(lines.filter((line) => [...line].length > 80)).toEqual([]);
    expect(stdout + stderr, 'no terminal, no colours').not.toContain('\u001b');
    return { code, stdout, stderr };
  }

  async report(...args: string[]): Promise<Report & { code: number | null }> {
    const { code, stdout, stderr } = await this.run(...args, '--json');
    expect(stderr).toBe('');
    expect(stdout.endsWith('}\n') && stdout.indexOf('\n') === stdout.length - 1).toBe(true);
    return { code, ...JSON.parse(stdout) };
  }

  async store(keys = this.env.SESSION_ENCRYPTION_KEY): Promise<RedisSessionStore> {
    const codec = keys && createCodec(KeyRing.parse(keys), { namespace: prefix });
    const store = await RedisSessionStore.connect({
      url: this.redis.url,
      ...patience,
      ...(codec ? { codec } : {}),
    });
    onTestFinished(() => store.close());
    return store;
  }

  async ask(...words: string[]) {
    return (await connected(this.redis.url)).send(words);
  }
}

/** In ms, rounded down: Python writes microseconds in UTC, and no fraction where it is 0. */
function ms(iso: string): number {
  return Date.parse(`${iso.slice(0, 23)}Z`);
}

/** The session that Holdfast must have, but for its end. */
function expected(record: PythonRecord) {
  const { request_id: requestId, metadata } = record;
  return {
    id: record.session_id,
    userId: record.user_id,
    threadId: record.thread_id,
    status: 'active',
    escalated: record.escalated,
    messageCount: record.message_count,
    counters: record.message_count === 0 ? {} : { messageCount: record.message_count },
    metadata: requestId === null ? metadata : { ...metadata, pythonV2: { requestId } },
    createdAt: ms(record.created_at),
    updatedAt: ms(record.updated_at),
    lastActivity: ms(record.last_activity),
    version: 1,
  };
}

async function sessionsOf(store: RedisSessionStore, records: readonly PythonRecord[]) {
  const ids = records.map(({ session_id }) => session_id);
  const found = new Map<string, Session>();
  for (let at = 0; at < ids.length; at += 500) {
    for (const [id, session] of await store.getBatch(ids.slice(at, at + 500))) {
      found.set(id, session);
    }
  }
  return ids.map((id) => found.get(id) ?? null);
}

function withoutEnd(session: Session | null) {
  if (session === null) return null;
  const { expiresAt: _, ...rest } = session;
  return rest;
}

async function expectAll(store: RedisSessionStore, records: readonly PythonRecord[]) {
  const sessions = await sessionsOf(store, records);
  expect(sessions.map(withoutEnd)).toEqual(records.map(expected));
  expect(await store.countActive()).toBe(records.length);
}

function keyFile(key: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-old-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'key'), `${key}\n`);
  return join(folder, 'key');
}

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
    const code = await run([...command, '--apply'], { env, out, err, signal: stopping.signal });
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

describe.skipIf(missing !== null)('what cannot be taken over', () => {
  it('is named with its reason, keeps nothing else back, and ends with 1', async () => {
    const secret = 'customer-secret-7f3a9c';
    const scene = await Scene.open({ PYTHON_V2_ENCRYPTION_KEY: generateKey() });
    const { url } = scene.redis;
    const python = new PythonV2(url);
    const [good] = python.fill(3) as [PythonRecord];
    const put = (id: string, changes: object) =>
      python.put(id, { ...good, session_id: id, ...changes });
    put('no-time', { created_at: secret });
    put('missing-time', { created_at: null });
    put('text-count', { message_count: secret });
    put('odd-user', { user_id: `${secret} of spaces` });
    put('odd-metadata', { metadata: [secret] });
    put('prototype', { metadata: { constructor: secret } });
    put('other', { session_id: secret });
    put('an odd id', {});
    put('large', { metadata: { text: secret.repeat(60_000) } });
    new PythonV2(url, 'another password').put('wrong-key', { ...good, session_id: 'wrong-key' });
    const connection = await connected(url);
    const text = JSON.stringify({ ...good, session_id: 'huge' });
    const raw = {
      'no-json': `{"secret": "${secret}"`,
      nan: `{"metadata": {"secret": "${secret}", "n": NaN}}`,
      list: `["${secret}"]`,
      noise: secret,
      huge: text.replace('"metadata":{', '"metadata":{"id":12345678901234567890,'),
      empty: '',
    };
    for (const [id, value] of Object.entries(raw))
      await connection.send(['SET', prefix + id, value]);

    const { code, counts, failed } = await scene.report('--apply');
    expect(code).toBe(1);
    expect(counts).toMatchObject({ new: 3, failed: failed.length });
    expect(Object.fromEntries(failed.map(({ id, reason }) => [id, reason]))).toEqual({
      'no-time': 'has a created_at that is no ISO 8601 time',
      'missing-time': 'has a created_at that is no time',
      'text-count': 'has a message_count that is no number',
      'odd-user': 'has a user_id that is not 1 to 255 characters of A-Z a-z 0-9 . _ : @ -',
      'odd-metadata': 'has a metadata that is no JSON object',
      prototype: expect.stringContaining('a key like __proto__'),
      other: expect.stringContaining('another session'),
      'an odd id': expect.stringContaining('has an id that is not'),
      large: expect.stringContaining('more than 1 MB'),
      'wrong-key': expect.stringContaining('another key'),
      'no-json': expect.stringContaining('is no JSON'),
      nan: expect.stringContaining('is no JSON'),
      list: 'is neither a JSON object nor an encrypted one',
      noise: 'is neither a JSON object nor an encrypted one',
      huge: expect.stringContaining('beyond 2^53'),
      empty: 'is neither a JSON object nor an encrypted one',
    });
    expect(JSON.stringify(failed)).not.toContain(secret);
    const people = await scene.run('--apply');
    expect(people.code).toBe(1);
    expect(people.stdout).toContain('16 failed\n');
    expect(people.stderr).toMatch(/^16 sessions failed:\n/);
    expect(people.stderr).toContain('"an odd id"\n  has an id');
    expect(people.stdout + people.stderr).not.toContain(secret);
    expect(await (await scene.store()).countActive()).toBe(3);
  });

  it('is all that is encrypted, when there is no key', async () => {
    const scene = await Scene.open();
    new PythonV2(scene.redis.url, generateKey()).fill(2);
    const { code, failed } = await scene.report();
    expect(code).toBe(1);
    expect(failed.map(({ reason }) => reason)).toEqual(
      Array(2).fill(expect.stringContaining('PYTHON_V2_ENCRYPTION_KEY or --old-key-file')),
    );
  });
});

describe.skipIf(missing !== null)('other than everyday sessions', () => {
  it('keep fields that v2.0 had put beside its own, and metadata that were there', async () => {
    const scene = await Scene.open();
    const python = new PythonV2(scene.redis.url);
    const [good] = python.fill(1) as [PythonRecord];
    const put = (id: string, changes: object) =>
      python.put(id, { ...good, session_id: id, ...changes });
    put('fields', { tool_calls: 3, request_id: 'r' });
    put('merged', { metadata: { pythonV2: { requestId: 'own', more: 1 } }, request_id: 'r' });
    put('zone', {
      created_at: '2024-05-06T07:08:09.123456+02:00',
      updated_at: '2024-05-06T07:08:09Z',
    });
    put('sparse', { user_id: '', thread_id: null, last_activity: null, metadata: null });
    expect(await scene.report('--apply')).toMatchObject({ code: 0, failed: [] });
    const store = await scene.store();
    expect((await store.get('fields'))?.metadata.pythonV2).toEqual({
      requestId: 'r',
      fields: { tool_calls: 3 },
    });
    expect((await store.get('merged'))?.metadata).toEqual({
      pythonV2: { requestId: 'own', more: 1 },
    });
    expect(await store.get('zone')).toMatchObject({
      createdAt: Date.UTC(2024, 4, 6, 5, 8, 9, 123),
      updatedAt: Date.UTC(2024, 4, 6, 7, 8, 9),
    });
    const sparse = await store.get('sparse');
    expect(sparse).toMatchObject({ userId: null, lastActivity: ms(good.updated_at) });
    expect(sparse?.threadId).toMatch(/^.{24}$/);
  });

  it('all stay, however many a user may have in Holdfast', async () => {
    const scene = await Scene.open({ SESSION_MAX_PER_USER: '1' });
    const python = new PythonV2(scene.redis.url);
    const [good] = python.fill(1) as [PythonRecord];
    for (let n = 0; n < 5; n++) python.put(`own-${n}`, { ...good, session_id: `own-${n}` });
    expect((await scene.report('--apply')).counts.new).toBe(6);
    const { sessions } = await (await scene.store()).listActive({ userId: good.user_id ?? '' });
    expect(sessions).toHaveLength(6);
  });

  it.each([prefix, `${prefix}holdfast:`])(
    'are found beside Holdfast’s own keys behind %s, none of which is taken for one',
    async (own) => {
      const scene = await Scene.open({ REDIS_SESSION_KEY_PREFIX: own });
      const { url } = scene.redis;
      const store = await RedisSessionStore.connect({ url, keyPrefix: own, ...patience });
      onTestFinished(() => store.close());
      for (let n = 0; n < 50; n++) {
        await store.create(`own-${n}`, { userId: 'ada' });
        await store.appendMessages(`own-${n}`, [{ role: 'user', content: 'Hello' }]);
      }
      await store.hit('somebody', 60_000);
      await store.healthCheck();
      const records = new PythonV2(scene.redis.url).fill(10);
      expect(await scene.report('--apply')).toMatchObject({ code: 0, found: 10, failed: [] });
      const sessions = await sessionsOf(store, records);
      expect(sessions.map(withoutEnd)).toEqual(records.map(expected));
      const keys = await scene.ask('KEYS', '*');
      const outside = (keys as Buffer[]).map(String).filter((key) => !key.startsWith(own));
      expect(outside.every((key) => /^agent:session:(session-\d+|active)$/.test(key))).toBe(true);
    },
  );
});

describe.skipIf(missing !== null)('their Redis', () => {
  it('may be another one, with a password that is no argument, and Holdfast’s a Cluster', async () => {
    const password = randomUUID();
    const source = await startRedis({ args: ['--requirepass', password] });
    onTestFinished(() => source.stop());
    const url = source.url.replace('//', `//:${password}@`);
    const records = new PythonV2(url).fill(300);
    const cluster = await RedisCluster.start({ redis: durable });
    onTestFinished(() => cluster[Symbol.asyncDispose]());
    const nodes = cluster.nodes.map(({ host, port }) => `${host}:${port}`);
    const scene = await Scene.open({
      REDIS_CLUSTER_NODES: nodes.join(','),
      PYTHON_V2_REDIS_URL: url,
    });
    expect(await scene.report('--apply')).toMatchObject({ code: 0, counts: { new: 300 } });
    const store = await RedisSessionStore.connect({
      ...{ url: scene.redis.url, cluster: { nodes } },
      ...patience,
    });
    onTestFinished(() => store.close());
    await expectAll(store, records);
    expect(await scene.report('--delete')).toMatchObject({ code: 0, removed: 300 });
    expect(new PythonV2(url).read()).toEqual({ records: {}, active: [] });
  });

  it('is named by settings that contradict nothing, or the command says what to do', async () => {
    const refused = async (env: Record<string, string>, ...args: string[]) => {
      const scene = await Scene.open(env);
      const { code, stdout, stderr } = await runWide(scene, args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      return stderr;
    };
    expect(await refused({ SESSION_STORE_TYPE: 'in_memory' })).toContain('is not redis');
    const secret = 'redis://:customer-secret-7f3a9c@127.0.0.1:6379';
    const shown = await refused({}, '--from-url', secret);
    expect(shown).toContain('PYTHON_V2_REDIS_URL');
    expect(shown).not.toContain('customer-secret');
    expect(await refused({}, '--from-url', 'http://127.0.0.1')).toMatch(
      /--from-url must be redis:/,
    );
    expect(await refused({ REDIS_CLUSTER_NODES: '127.0.0.1:1' })).toContain('--from-url');
    expect(
      await refused({ PYTHON_V2_ENCRYPTION_KEY: 'a' }, '--old-key-file', keyFile('b')),
    ).toContain('leave one out');
    expect(await refused({}, '--old-key-file', '/nowhere')).toContain('could not be read');
    const scene = await Scene.open();
    expect((await scene.run('--nonsense')).code).toBe(2);
    expect(await scene.run('--help')).toMatchObject({ code: 0, stderr: '' });
  });
});

/** Messages of errors are one line each, as those of all commands. */
async function runWide(scene: Scene, args: readonly string[]) {
  const running = scene.start(...args);
  const { code } = await running.exit;
  return { code, stdout: running.stdout, stderr: running.stderr };
}
