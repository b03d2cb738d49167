import { randomUUID } from 'node:crypto';
import { generateKey } from 'holdfast/encryption';
import { RedisSessionStore } from 'holdfast/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Keys } from '../../packages/holdfast/src/lib/redis/layout/keys.ts';
import { connected } from '../redis/connection/fixtures.ts';
import { holdfast } from '../server/server-on-redis.ts';
import { RedisCluster } from '../servers/redis-cluster.ts';
import { startRedis } from '../servers/redis-server.ts';
import {
  durable,
  expectAll,
  expected,
  keyFile,
  missing,
  ms,
  patience,
  patient,
  prefix,
  Scene,
  sessionsOf,
  withoutEnd,
} from './migration-scene.ts';
import { type PythonRecord, PythonV2 } from './python-v2.ts';

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

describe.skipIf(missing !== null)('found by breaking it', () => {
  it('a store of nothing but odd ids is reported', async () => {
    const scene = await Scene.open();
    await scene.ask('SET', `${prefix}an odd id`, '{}');
    const { code, counts } = await scene.report();
    expect(code).toBe(1);
    expect(counts).toMatchObject({ new: 0, failed: 1 });
  });

  it('a record without a fingerprint is one like the others', async () => {
    const scene = await Scene.open();
    const python = new PythonV2(scene.redis.url);
    const [record] = python.fill(1) as [PythonRecord];
    const stored = JSON.parse(String(await scene.ask('GET', prefix + record.session_id)));
    const { fingerprint: _, ...rest } = stored;
    await scene.ask('SET', prefix + record.session_id, JSON.stringify(rest));
    expect(await scene.report('--apply')).toMatchObject({ code: 0, counts: { new: 1 } });
  });

  it('an original that has got a longer life since is not deleted before that is taken over', async () => {
    const scene = await Scene.open();
    const [record] = new PythonV2(scene.redis.url).fill(1) as [PythonRecord];
    const original = prefix + record.session_id;
    await scene.ask('EXPIRE', original, '1000');
    await scene.report('--apply');
    await scene.ask('EXPIRE', original, '100000');
    expect(await scene.report('--delete')).toMatchObject({ counts: { changed: 1 }, removed: 0 });
    expect(await scene.report('--apply', '--delete')).toMatchObject({ removed: 1 });
  });
});

describe.skipIf(missing !== null)('a user of an imported session', () => {
  it('is erased with the note of its import, once the original is deleted', async () => {
    const scene = await Scene.open();
    const [record] = new PythonV2(scene.redis.url).fill(1) as [PythonRecord];
    const id = record.session_id;
    const userId = record.user_id ?? '';
    expect(userId).not.toBe('');
    const notes = new Keys(prefix, 256).imports(new Keys(prefix, 256).bucketOf(id));
    await scene.report('--apply');
    expect(String(await scene.ask('HKEYS', notes))).toBe(id);
    // The note goes with the original, too: this one is of another import.
    expect(await scene.report('--delete')).toMatchObject({ removed: 1 });
    await scene.ask('HSET', notes, id, 'of another import');
    const args = ['sessions', 'erase', userId, '--yes', '--json'];
    const erasing = holdfast(scene.redis.url, args, patient);
    expect(await erasing.exit, erasing.stderr).toMatchObject({ code: 0 });
    expect(erasing.stdout).toBe('{"erased":1}\n');
    expect(await scene.ask('EXISTS', notes)).toBe(0);
    const keys = await scene.ask('KEYS', '*');
    expect(String(keys)).not.toContain(id);
    expect(String(keys)).not.toContain(userId);
  });
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
      // Lines end where a terminal does.
      return stderr.replaceAll(/\s+/g, ' ');
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
    expect(await refused({}, '--old-key-file', '/nowhere')).toContain(
      '--old-key-file names a file that could not be read (ENOENT: there is no such file)',
    );
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
