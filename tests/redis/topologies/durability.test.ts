import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { ask, field } from '../../servers/ask.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';

let primary: RedisServer;
let replica: RedisServer;
beforeAll(async () => {
  primary = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${primary.port}`] });
  await following(1);
});
afterAll(async () => {
  await replica.stop();
  await primary.stop();
});

const following = (count: number) =>
  vi.waitUntil(
    async () =>
      field(await ask(primary.port, 'INFO', 'replication'), 'connected_slaves') === String(count),
    { timeout: 60_000 },
  );

/** The replica is there and hears nothing, until the test ends. */
async function deafReplica(): Promise<void> {
  onTestFinished(() => replica.resume());
  await replica.pause();
}

const instance = (options: InstanceOptions) =>
  new SharedNamespace(primary.url, { timeoutMs: 3_000, ...options }).instance();

/** How often WAIT was called. */
async function waits(): Promise<number> {
  const stats = await ask(primary.port, 'INFO', 'commandstats');
  return Number(/^cmdstat_wait:calls=(\d+)/m.exec(String(stats))?.[1] ?? 0);
}

describe('replicated', () => {
  it('acknowledges every kind of write when a replica has it', async () => {
    const place = new SharedNamespace(primary.url, { durability: 'replicated' });
    const sessions = await place.instance();
    const [key] = place.keys.session('s');
    /** Right after the acknowledgement the replica has the session as the primary has it. */
    const isThere = async () => {
      const [here, there] = await Promise.all(
        [primary, replica].map(({ port }) => ask(port, 'HGET', key, 'h')),
      );
      expect(there).not.toBeNull();
      expect(there).toBe(here);
    };
    await sessions.store.create('s');
    await isThere();
    await sessions.store.update('s', { escalated: true });
    await isThere();
    await sessions.store.incrementCounter('s', 'n');
    await isThere();
    await sessions.turn('s', async (turn) => {
      turn.append({ role: 'user', content: 'hello' });
      await turn.checkpoint();
      await isThere();
      turn.increment('messageCount');
    });
    await isThere();
    expect(await sessions.store.delete('s')).toBe(true);
    expect(await ask(replica.port, 'EXISTS', key)).toBe(0);
  });

  it('asks once for all that is written at the same time', async () => {
    const sessions = await instance({ durability: 'replicated', timeoutMs: 60_000 });
    await sessions.store.create('s');
    const before = await waits();
    await Promise.all(Array.from({ length: 200 }, () => sessions.store.incrementCounter('s', 'n')));
    expect((await waits()) - before).toBeLessThan(100);
    expect((await sessions.store.get('s'))?.counters.n).toBe(200);
  });

  it('says of a write that no replica confirms that it is there, and may be lost', async () => {
    const sessions = await instance({ durability: 'replicated' });
    await sessions.store.create('s');
    await deafReplica();
    const error = await rejection(sessions.store.incrementCounter('s', 'n', 1, { nonce: 'once' }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain('took effect, but no replica');
    expect((await sessions.store.get('s', { fresh: true }))?.counters.n).toBe(1);
    replica.resume();
    // Repeated under its nonce it is written once, and confirmed.
    expect(await sessions.store.incrementCounter('s', 'n', 1, { nonce: 'once' })).toBe(1);
  });

  it('without any replica acknowledges nothing', async () => {
    const alone = await startRedis();
    onTestFinished(() => alone.stop());
    const place = new SharedNamespace(alone.url, { durability: 'replicated', timeoutMs: 500 });
    const { store } = await place.instance();
    expect(await rejection(store.create('s'))).toBeInstanceOf(OutcomeUnknownError);
  });

  it.each(['info', 'wait'])(
    'says at once what is to be done where the user may not run %s',
    async (command) => {
      const rules = ['on', '>secret', '~*', '&*', '+@all', `-${command}`];
      await ask(primary.port, 'ACL', 'SETUSER', 'app', ...rules);
      const sessions = await instance({
        ...{ durability: 'replicated', timeoutMs: 600_000 },
        ...{ username: 'app', password: 'secret' },
      });
      const error = await rejection(sessions.store.create('s'));
      expect(error).toBeInstanceOf(OutcomeUnknownError);
      expect(error.message).toContain('took effect');
      expect(error.message).toContain('ACL');
      const { cause } = error;
      expect(String(cause instanceof Error && cause.cause)).toMatch(new RegExp(command, 'i'));
      expect(await sessions.store.get('s', { fresh: true })).toMatchObject({ id: 's' });
      // What is asked of a connection that is lost meanwhile is no refusal.
      await ask(primary.port, 'ACL', 'SETUSER', 'app', `+${command}`);
      await ask(primary.port, 'CLIENT', 'KILL', 'USER', 'app');
      expect(await sessions.store.incrementCounter('s', 'n')).toBe(1);
    },
  );

  it('a turn whose commit is not confirmed is repeated under its key, and runs once', async () => {
    const sessions = await instance({ durability: 'replicated' });
    await sessions.store.create('s');
    let runs = 0;
    const turn = () =>
      sessions.turn('s', { idempotencyKey: 'k' }, async (running) => {
        runs += 1;
        running.append({ role: 'user', content: 'once' });
        return 'done';
      });
    await deafReplica();
    expect(await rejection(turn())).toBeInstanceOf(OutcomeUnknownError);
    // To tell the stored outcome would be to acknowledge it.
    expect(await rejection(turn())).toBeInstanceOf(OutcomeUnknownError);
    replica.resume();
    expect(await turn()).toBe('done');
    expect(runs).toBe(1);
    expect(await sessions.store.messages('s')).toHaveLength(1);
  });
});

describe('async', () => {
  it('waits for a replica with a deletion and a new token alone', async () => {
    const sessions = await instance({ timeoutMs: 60_000 });
    const { session } = await sessions.create({});
    const before = await waits();
    await sessions.turn(session.id, async (turn) => {
      turn.increment('messageCount');
    });
    expect(await waits()).toBe(before);
    await sessions.rotateToken(session.id);
    expect(await waits()).toBe(before + 1);
    await sessions.revoke(session.id);
    expect(await waits()).toBe(before + 2);
  });

  it('says of a deletion that no replica confirms that it may come back', async () => {
    const sessions = await instance({});
    await sessions.store.create('s', { userId: 'ada' });
    const told: unknown[] = [];
    sessions.store.on('deleted', (event) => told.push(event));
    await deafReplica();
    const error = await rejection(sessions.store.delete('s'));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(await sessions.store.get('s', { fresh: true })).toBeNull();
    // It has gone here, and so has what goes with it.
    expect(told).toEqual([{ sessionId: 's', userId: 'ada' }]);
    expect(await sessions.store.upkeep.entriesOf('ada')).toEqual([]);
  });

  it('waits for nobody where there is no replica, and for the first one when it has come', async () => {
    const alone = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
    onTestFinished(() => alone.stop());
    const { store } = await new SharedNamespace(alone.url).instance();
    await store.create('s');
    expect(await store.delete('s')).toBe(true);
    const first = await startRedis({ args: ['--replicaof', `127.0.0.1 ${alone.port}`] });
    onTestFinished(() => first.stop());
    const isOnline = async () =>
      /state=online/.test(String(await ask(alone.port, 'INFO', 'replication')));
    await vi.waitUntil(isOnline, { timeout: 60_000 });
    await store.create('s');
    expect(await store.delete('s')).toBe(true);
  });
});

it('min-replicas-to-write refuses a write before it is made, and names the cause', async () => {
  const sessions = await instance({});
  await sessions.store.create('s');
  await ask(primary.port, 'CONFIG', 'SET', 'min-replicas-to-write', '2');
  onTestFinished(async () => {
    await ask(primary.port, 'CONFIG', 'SET', 'min-replicas-to-write', '0');
  });
  const error = await rejection(sessions.store.incrementCounter('s', 'n'));
  expect(error).toBeInstanceOf(StoreUnavailableError);
  expect(error.message).toContain('replicas');
  await ask(primary.port, 'CONFIG', 'SET', 'min-replicas-to-write', '0');
  expect((await sessions.store.get('s', { fresh: true }))?.counters.n).toBeUndefined();
});
