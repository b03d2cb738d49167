import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectNodeRedis } from '../../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import { RedisAddress } from '../../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type {
  ConnectionPurpose,
  RedisConnection,
} from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { FakeClock } from '../../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import type { SuiteClock } from '../../../../packages/holdfast/src/lib/testing/suite/suite-context.ts';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../../servers/redis-server.ts';
import { observedConnect } from './observed-connect.ts';
import { FakeTimeClock } from './suite-clock.ts';
import { Traffic } from './traffic.ts';

let server: FakeTimeRedis;
beforeAll(async () => {
  server = await startRedisOnFakeTime();
});
afterAll(() => server.stop());

function started() {
  const traffic = new Traffic();
  const clock = new FakeTimeClock(server, traffic);
  const connect = observedConnect(connectNodeRedis, traffic);
  const address = new RedisAddress({ url: server.url });
  const connected = async (purpose: ConnectionPurpose = 'commands') => {
    const connection = await connect(address, purpose, new AbortController().signal);
    onTestFinished(() => connection.destroy());
    return connection;
  };
  return { clock, connected };
}

async function timeOf(connection: RedisConnection): Promise<number> {
  const [seconds, microseconds] = (await connection.send(['TIME'])) as Buffer[];
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

/** Sets timers of all kinds, and tells in which order and when they fired. */
async function scenario(clock: SuiteClock): Promise<string[]> {
  const log: string[] = [];
  const begin = clock.now();
  const note = (name: string) => () => {
    log.push(`${name} at ${clock.now() - begin} (${clock.monotonic() - start})`);
  };
  const start = clock.monotonic();
  clock.setTimer(10, note('10'));
  clock.setTimer(10, note('10 again'));
  clock.setTimer(9.2, note('9.2'));
  clock.setTimer(-5, note('-5'));
  const cancel = clock.setTimer(10, note('cancelled before'));
  cancel();
  cancel();
  let cancelLater = () => {};
  clock.setTimer(5, () => {
    note('5')();
    clock.setTimer(0, note('0 in 5'));
    clock.setTimer(2, note('2 in 5'));
    cancelLater();
  });
  cancelLater = clock.setTimer(6, note('cancelled in 5'));
  await clock.advance(0);
  note('after 0')();
  await clock.advance(4);
  note('after 4')();
  await clock.advance(0.6);
  note('after 0.6')();
  await clock.advance(4);
  note('after 4 more')();
  clock.setTimer(20, note('20'));
  await Promise.all([clock.advance(30), clock.advance(1), clock.advance(15)]);
  note('after 30')();
  await clock.advance(-5);
  note('after -5')();
  return log;
}

describe('FakeTimeClock', () => {
  it('fires timers as FakeClock does', async () => {
    const log = await scenario(started().clock);
    expect(log).toEqual(await scenario(new FakeClock()));
    expect(log).toHaveLength(14);
  });

  it('shows the time of the server, in every timer and after it', async () => {
    const { clock, connected } = started();
    const connection = await connected();
    expect(clock.now()).toBe(Date.UTC(2030, 0, 1));
    const differences: number[] = [];
    const compare = async () => {
      const now = clock.now();
      differences.push((await timeOf(connection)) - now);
    };
    for (const ms of [1, 3, 3, 1000, 86_400_000]) clock.setTimer(ms, compare);
    await compare();
    await clock.advance(2);
    await compare();
    await clock.advance(86_400_000);
    await compare();
    expect(differences).toEqual(Array(8).fill(0));
    expect(clock.now()).toBe(Date.UTC(2030, 0, 2) + 2);
  });

  it('lets all that a timer sets off happen before the next one, at its instant', async () => {
    const { clock, connected } = started();
    const [commands, subscriber] = [await connected(), await connected('subscriptions')];
    const log: string[] = [];
    const note = (text: string) => log.push(`${text} at ${clock.now() % 1000}`);
    let hops = 0;
    subscriber.onMessage = (_, message) => {
      note(`message ${message}`);
      // A chain of messages and replies, each the consequence of the one before.
      void commands.send(['INCR', 'hops']).then(async (count) => {
        hops += 1;
        if (Number(count) % 5 !== 0) await commands.send(['PUBLISH', 'news', `${count}`]);
        else note(`end of hop ${count}`);
      });
    };
    await subscriber.subscribe('news');
    for (const ms of [1, 2, 2]) {
      clock.setTimer(ms, () => {
        note(`timer ${hops}`);
        void commands.send(['PUBLISH', 'news', 'first']);
      });
    }
    await clock.advance(10);
    const round = (from: number, at: number) => [
      `timer ${from} at ${at}`,
      `message first at ${at}`,
      ...[1, 2, 3, 4].map((hop) => `message ${from + hop} at ${at}`),
      `end of hop ${from + 5} at ${at}`,
    ];
    expect(log).toEqual([...round(0, 1), ...round(5, 2), ...round(10, 2)]);
  });

  it('settles what was under way before it moves, and moves by nothing on advance(0)', async () => {
    const { clock, connected } = started();
    const [commands, subscriber] = [await connected(), await connected('subscriptions')];
    const came: number[] = [];
    subscriber.onMessage = () => came.push(clock.now());
    await subscriber.subscribe('news');
    const now = clock.now();
    void commands.send(['PUBLISH', 'news', '']);
    await clock.advance(0);
    expect(came).toEqual([now]);
    void commands.send(['PUBLISH', 'news', '']);
    await clock.advance(1000);
    expect(came).toEqual([now, now]);
  });

  it('may be advanced from a timer that it fires', async () => {
    const { clock, connected } = started();
    const connection = await connected();
    const log: string[] = [];
    const done = new Promise<void>((resolve) => {
      clock.setTimer(5, async () => {
        await connection.send(['PING']);
        await clock.advance(10);
        log.push(`inner at ${clock.monotonic()}`);
        resolve();
      });
    });
    clock.setTimer(12, () => log.push(`timer at ${clock.monotonic()}`));
    await clock.advance(7);
    await done;
    expect(log).toEqual(['timer at 12', 'inner at 15']);
  });

  it('goes on after a timer that throws', async () => {
    const { clock } = started();
    clock.setTimer(1, () => {
      throw new Error('thrown by a timer');
    });
    await expect(clock.advance(5)).rejects.toThrow('thrown by a timer');
    await clock.advance(5);
    expect(clock.monotonic()).toBe(6);
  });
});
