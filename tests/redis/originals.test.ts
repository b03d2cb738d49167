import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Originals } from '../../packages/holdfast/src/lib/migration/python-v2/originals.ts';
import { RedisAddress } from '../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { connected, RecordingLogger } from './connection/fixtures.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const never = new AbortController().signal;

/** What stands behind a prefix, each test's own. */
async function setUp(prefix: string) {
  const originals = await Originals.connect({
    ...{ address: new RedisAddress({ url: server.url }), prefix, ownPrefix: 'own:' },
    ...{ timeoutMs: 60_000, connectTimeoutMs: 60_000, retries: 3, logger: new RecordingLogger() },
  });
  onTestFinished(() => originals.close());
  const connection = await connected(server.url);
  const send = (...words: string[]) => connection.send(words);
  const first = async (id: string) => {
    const [stored] = await originals.read([id]);
    if (stored === undefined) throw new Error(`There is no ${id}.`);
    return stored;
  };
  return { originals, send, first };
}

describe('originals of Python v2.0', () => {
  it('are the strings behind the prefix, to the letter, that are not Holdfast’s', async () => {
    const prefix = 'a*[b]?\\:';
    const { originals, send } = await setUp(prefix);
    for (const id of ['one', 'two', 'own:three', 'c:x', 'n:{x}'])
      await send('SET', prefix + id, 'v');
    for (const rest of ['n:{7}', 'd:{12}', 't:{3}:somebody', 'c:5', 'health:x', 'namespace']) {
      await send('SET', prefix + rest, 'v');
    }
    await send('SADD', `${prefix}active`, 'one');
    await send('SET', 'axb:four', 'v');
    await send('SET', 'ab?:four', 'v');
    expect([...(await originals.ids(never))].sort()).toEqual(
      ['one', 'two', 'own:three', 'c:x', 'n:{x}'].sort(),
    );
  });

  it('have a digest, and an end that lies between two known times', async () => {
    const { originals, send, first } = await setUp('ends:');
    const before = await originals.now();
    await send('SET', 'ends:a', 'one', 'PX', '600000');
    const after = await originals.now();
    await send('SET', 'ends:b', 'one');
    await send('SET', 'ends:c', 'two');
    const [a, b, c] = [await first('a'), await first('b'), await first('c')];
    expect(a.original.expiry?.earliest).toBeLessThanOrEqual(after + 600_000);
    expect(a.original.expiry?.latest).toBeGreaterThanOrEqual(before + 600_000);
    expect(a.remainingMs()).toBeGreaterThan(0);
    expect(a.remainingMs()).toBeLessThanOrEqual(600_000);
    expect([b.original.expiry, b.remainingMs()]).toEqual([null, null]);
    expect(a.original.digest).toBe(b.original.digest);
    expect(a.original.digest).not.toBe(c.original.digest);
    expect(await originals.read(['a', 'gone', 'c'])).toMatchObject([{ id: 'a' }, { id: 'c' }]);
  });

  it('are removed only as they were read', async () => {
    const { originals, send, first } = await setUp('remove:');
    await send('SET', 'remove:a', 'one');
    await send('SET', 'remove:b', 'one');
    await send('SADD', 'remove:active', 'a', 'b');
    const [a, b] = [await first('a'), await first('b')];
    await send('SET', 'remove:b', 'two');
    expect(await originals.remove(a)).toBe(true);
    expect(await originals.remove(b)).toBe(false);
    expect(await send('EXISTS', 'remove:a')).toBe(0);
    expect(String(await send('GET', 'remove:b'))).toBe('two');
    expect(await send('SISMEMBER', 'remove:active', 'a')).toBe(0);
    expect(await send('SISMEMBER', 'remove:active', 'b')).toBe(1);
    // What has expired meanwhile is gone, too.
    expect(await originals.remove(a)).toBe(true);
  });

  it('are looked for until the signal', async () => {
    const { originals } = await setUp('signal:');
    await expect(originals.ids(AbortSignal.abort(new Error('Enough.')))).rejects.toThrow('Enough.');
  });
});
