import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../packages/holdfast/src/lib/clock.ts';
import {
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../packages/holdfast/src/lib/errors/errors.ts';
import { connectNodeRedis } from '../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import {
  type ConnectRedis,
  RedisReplyError,
} from '../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { scripts } from '../../packages/holdfast/src/lib/redis/scripts/scripts.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { connected, rejection } from './connection/fixtures.ts';
import { outOfTime } from './support/clock/out-of-time.ts';
import { flakyProxyForTest } from './support/lines/flaky-proxy.ts';
import { HeldCalls } from './support/lines/held-calls.ts';
import { callOf } from './support/requests.ts';
import { SharedNamespace } from './support/shared-namespace.ts';
import { withoutBackground } from './support/without-background.ts';
import { plant } from './support/wrong-types.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const lanes = 16;
const soon = { timeout: 60_000, interval: 10 };

describe('cleanup', () => {
  it('looks at so many sessions at a time, however many have expired', async () => {
    const batch = 200;
    const place = new SharedNamespace(server.url, {
      ...{ buckets: 1, idleTimeoutMs: 100, timeoutMs: 60_000, clock: withoutBackground },
    });
    let [atOnce, most, longest] = [0, 0, 0];
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = async (args) => {
        const removes = args[1] === scripts.remove.sha1;
        if (removes) most = Math.max(most, ++atOnce);
        const reply = await send(args).finally(() => {
          if (removes) atOnce -= 1;
        });
        if (args[0] === 'ZRANGEBYSCORE') longest = Math.max(longest, (reply as []).length);
        return reply;
      };
      return connection;
    };
    const { store } = await place.instance({ connect });
    const ids = Array.from({ length: 2 * batch + 50 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id) => store.create(id)));
    const last = ids.at(-1) ?? '';
    await expect.poll(() => store.get(last), soon).toBeNull();
    expect(await store.cleanupExpired()).toBe(ids.length);
    expect({ most, longest }).toEqual({ most: batch, longest: batch });
  });

  it('comes to an end where another server of the cluster is ahead of the one that has the session', async () => {
    const place = new SharedNamespace(server.url, { clock: withoutBackground });
    const aheadSeconds = 2 * 3_600;
    const enough = 20;
    const tooOften = new AbortController();
    let looks = 0;
    // As of the one that was asked what time it is.
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = async (args) => {
        if (args[0] === 'ZRANGEBYSCORE' && ++looks > enough * 8) tooOften.abort();
        const reply = await send(args);
        if (args[0] !== 'TIME') return reply;
        const [seconds, micros] = reply as [Buffer, Buffer];
        return [Buffer.from(String(Number(seconds) + aheadSeconds)), micros];
      };
      return connection;
    };
    const { store } = await place.instance({ connect });
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await store.create(id);
    expect(await store.cleanupExpired({ signal: tooOften.signal })).toBe(0);
    expect((await store.getBatch(ids, { fresh: true })).size).toBe(ids.length);
  });

  it.each([
    ['that is not there', 'gone'],
    ['with a name that none can have', Buffer.from([0xff, 0xfe])],
  ])('comes to an end where a bucket’s index names a session of another %s', async (_, id) => {
    const place = new SharedNamespace(server.url, { clock: withoutBackground });
    const tooOften = new AbortController();
    let removals = 0;
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = (args) => {
        if (args[1] === scripts.remove.sha1 && ++removals > 20) tooOften.abort();
        return send(args);
      };
      return connection;
    };
    const { store } = await place.instance({ connect });
    const connection = await connected(server.url);
    const elsewhere = (place.keys.bucketOf(String(id)) + 1) % 8;
    await connection.send(['ZADD', place.keys.expiry(elsewhere), '1', id]);
    expect(await store.cleanupExpired({ signal: tooOften.signal })).toBe(0);
  });

  it('gets to what has expired behind any number of entries that stay', async () => {
    const place = new SharedNamespace(server.url, { clock: withoutBackground });
    const { store } = await place.instance();
    const brief = await place.instance({ idleTimeoutMs: 100 });
    const all = Array.from({ length: 5_000 }, (_, n) => `s${n}`);
    const living = all.filter((id) => place.keys.bucketOf(id) === 0).slice(0, 401);
    expect(living).toHaveLength(401);
    const expired = all.filter((id) => place.keys.bucketOf(id) === 1).slice(0, 3);
    await Promise.all(living.map((id) => store.create(id)));
    await Promise.all(expired.map((id) => brief.store.create(id)));
    const ask = await place.asking();
    // As if they were of the other bucket, and had expired long ago: there they are not to be found.
    await ask('ZADD', place.keys.expiry(1), ...living.flatMap((id, at) => [String(at), id]));
    await expect.poll(async () => (await store.getBatch(expired)).size, soon).toBe(0);
    expect(await store.cleanupExpired()).toBe(expired.length);
    expect((await store.getBatch(living, { fresh: true })).size).toBe(living.length);
  });

  it('gets to what has expired behind more sessions that fail than it looks at in one go', async () => {
    const place = new SharedNamespace(server.url, { idleTimeoutMs: 100, clock: withoutBackground });
    const stuck = new Set<string>();
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = async (args) => {
        const fails = args[1] === scripts.remove.sha1 && args.some((arg) => stuck.has(String(arg)));
        if (fails) throw new RedisReplyError('ERR user_script:1: something');
        return send(args);
      };
      return connection;
    };
    const { store } = await place.instance({ connect });
    const all = Array.from({ length: 3_000 }, (_, n) => `s${n}`);
    const ids = all.filter((id) => place.keys.bucketOf(id) === 0).slice(0, 250);
    const ask = await place.asking();
    for (const id of ids) stuck.add(id);
    await Promise.all(ids.map((id) => store.create(id)));
    const [elsewhere = ''] = all.filter((id) => place.keys.bucketOf(id) === 1);
    const behind = all.findLast((id) => place.keys.bucketOf(id) === 0) ?? '';
    await store.create(behind);
    await store.create(elsewhere);
    // Those that fail are first, whatever the clock says.
    await ask('ZADD', place.keys.expiry(0), ...ids.flatMap((id) => ['1', id]));
    const going = [behind, elsewhere];
    await expect.poll(async () => (await store.getBatch(going)).size, soon).toBe(0);
    await expect(store.cleanupExpired()).rejects.toThrow(StoreUnavailableError);
    stuck.clear();
    expect(await store.cleanupExpired()).toBe(ids.length);
  });

  it('says of a removal whose reply was lost that it may have happened, whatever else fails', async () => {
    const patient = { timeoutMs: 60_000, clock: withoutBackground };
    const place = new SharedNamespace(server.url, { ...patient, idleTimeoutMs: 100 });
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    const calls = new HeldCalls();
    const one = await place.instance({ url: proxy.url, connect: calls.connect, retries: 2 });
    const other = await place.instance();
    const bucketOf = (id: string) => place.keys.bucketOf(id);
    const [first = '', last = ''] = ['a', 'b', 'c', 'd']
      .toSorted((one, two) => bucketOf(one) - bucketOf(two))
      .filter((_, at, all) => at === 0 || at === all.length - 1);
    expect(bucketOf(first)).not.toBe(bucketOf(last));
    for (const id of [first, last]) await other.store.create(id);
    await expect.poll(() => other.store.get(last), soon).toBeNull();
    await plant(await place.asking(), place.keys.session(first)[5] ?? '', 'string');
    const held = calls.hold('remove', last);
    const failure = rejection(one.store.cleanupExpired());
    await held.reached;
    // With this reply there is that of the other one, which was sent before or goes with it.
    await one.store.exists(first);
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('remove', last));
    held.release();
    await lost;
    expect(await outOfTime(failure, 30_000)).toBeInstanceOf(OutcomeUnknownError);
  });
});

describe('cleanup in the background', () => {
  it('belongs to no request that happens to open the store', async () => {
    const context = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const connect: ConnectRedis = async (...where) => {
      const connection = await connectNodeRedis(...where);
      const send = connection.send.bind(connection);
      connection.send = (args) => {
        if (args[0] === 'SET' && args[3] === 'NX') contexts.push(context.getStore());
        return send(args);
      };
      return connection;
    };
    const place = new SharedNamespace(server.url, { connect, cleanupIntervalMs: 100 });
    await context.run('a request', () => place.instance());
    await expect.poll(() => contexts.length, soon).toBeGreaterThanOrEqual(lanes);
    expect(contexts).not.toContain('a request');
  });

  it('is begun by each instance at a time of its own', async () => {
    const roundMs = 1_500;
    const place = new SharedNamespace(server.url, { cleanupIntervalMs: 3 * roundMs });
    const rests: number[] = [];
    const setTimer: typeof systemClock.setTimer = (ms, ...more) => {
      if (ms > roundMs * 0.89 && ms <= roundMs) rests.push(ms);
      return systemClock.setTimer(ms, ...more);
    };
    await Promise.all([1, 2, 3].map(() => place.instance({ clock: { ...systemClock, setTimer } })));
    expect(rests.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...rests)).toBeGreaterThanOrEqual(roundMs * 0.9);
    expect(new Set(rests).size).toBe(rests.length);
  });

  it('tells once of each session that expires, whichever of three instances removes it', async () => {
    const place = new SharedNamespace(server.url, { idleTimeoutMs: 600, cleanupIntervalMs: 100 });
    const instances = await Promise.all([1, 2, 3].map(() => place.instance()));
    const told: string[] = [];
    for (const { store } of instances) {
      store.on('expired', ({ sessionId }) => {
        told.push(sessionId);
      });
    }
    const [{ store } = instances[0] as never] = instances;
    const ids = Array.from({ length: 300 }, (_, n) => `s${n}`);
    await Promise.all(ids.map((id) => store.create(id)));
    // By hand besides, all at once: they find the same sessions.
    const cleanedUp = async () => {
      await Promise.all(instances.map((one) => one.store.cleanupExpired()));
      return told.length;
    };
    await expect.poll(cleanedUp, soon).toBeGreaterThanOrEqual(ids.length);
    for (const one of instances) expect(await one.store.cleanupExpired()).toBe(0);
    expect(told.toSorted()).toEqual(ids.toSorted());
  });

  it('is done by one instance at a time', async () => {
    const place = new SharedNamespace(server.url, { idleTimeoutMs: 200, cleanupIntervalMs: 100 });
    const ask = await place.asking();
    // As if another one were at it.
    for (let lane = 0; lane < lanes; lane++) {
      await ask('SET', place.keys.cleaner(lane), 'another', 'PX', '600000');
    }
    const { store } = await place.instance();
    const told: string[] = [];
    store.on('expired', ({ sessionId }) => {
      told.push(sessionId);
    });
    await store.create('s');
    const calls = async (command: string) => {
      const stats = String(await ask('INFO', 'commandstats'));
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };
    await expect.poll(() => store.get('s'), soon).toBeNull();
    await ask('CONFIG', 'RESETSTAT');
    await expect.poll(() => calls('set'), soon).toBeGreaterThan(3 * lanes);
    expect(await calls('zrangebyscore')).toBe(0);
    expect(told).toEqual([]);
    for (let lane = 0; lane < lanes; lane++) await ask('DEL', place.keys.cleaner(lane));
    await expect.poll(() => told, soon).toEqual(['s']);
  });

  it('stays with one instance when it takes longer than a round', async () => {
    const place = new SharedNamespace(server.url, {
      ...{ idleTimeoutMs: 200, cleanupIntervalMs: 3_000, buckets: 1 },
    });
    const held = new HeldCalls();
    const { reached, release } = held.hold('remove', 'expired');
    const one = await place.instance({ connect: held.connect, timeoutMs: 60_000 });
    const told: string[] = [];
    one.store.on('expired', ({ sessionId }) => {
      told.push(sessionId);
    });
    await one.store.create('s');
    await reached;
    await place.instance();
    const ask = await place.asking();
    await ask('CONFIG', 'RESETSTAT');
    const calls = async (command: string) => {
      const stats = String(await ask('INFO', 'commandstats'));
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };
    // Some rounds of the other one, in which the lane stays with the first.
    await expect.poll(() => calls('set'), soon).toBeGreaterThan(5 * lanes);
    expect(await calls('zrangebyscore')).toBe(0);
    release();
    await expect.poll(() => told, soon).toEqual(['s']);
  });

  it('tells once that it fails, however often it does, and goes on when it can', async () => {
    const place = new SharedNamespace(server.url, { idleTimeoutMs: 200, cleanupIntervalMs: 100 });
    const failed = 'Failed to remove expired sessions; each round tries again';
    let warnings = 0;
    const told: string[] = [];
    const logger = {
      ...{ debug() {}, info() {}, error() {} },
      warn(_: object, text: string) {
        if (text === failed) warnings += 1;
      },
    };
    const { store } = await place.instance({ logger });
    store.on('expired', ({ sessionId }) => {
      told.push(sessionId);
    });
    const ask = await place.asking();
    const rounds = async () => {
      const stats = String(await ask('INFO', 'commandstats'));
      return Number(/cmdstat_zrangebyscore:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    };
    await store.create('s');
    const restore = await plant(ask, place.keys.session('s')[5] ?? '', 'string');
    await expect.poll(() => warnings, soon).toBe(1);
    await ask('CONFIG', 'RESETSTAT');
    await expect.poll(rounds, soon).toBeGreaterThan(3);
    expect(warnings).toBe(1);
    await restore();
    await expect.poll(() => told, soon).toEqual(['s']);
  });

  it('leaves no claim that would outlast its round', async () => {
    const place = new SharedNamespace(server.url, { idleTimeoutMs: 100, cleanupIntervalMs: 100 });
    const ask = await place.asking();
    const { store } = await place.instance();
    await store.create('s');
    // A claim is not given up: it ends by itself, also where its instance has died.
    await expect.poll(() => ask('ZCARD', place.keys.all(place.keys.bucketOf('s'))), soon).toBe('0');
    for (let lane = 0; lane < lanes; lane++) {
      expect(Number(await ask('PTTL', place.keys.cleaner(lane)))).toBeLessThan(50);
    }
  });
});
