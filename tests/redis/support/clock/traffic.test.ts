import { setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { RedisAddress } from '../../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import {
  type ConnectionPurpose,
  RedisTimeoutError,
} from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { observedConnect } from './observed-connect.ts';
import { StubConnection } from './stub-connection.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';

const signal = new AbortController().signal;

/** A store's way to its connections: each one, or its failure, is the test's to give. */
function observed(options: TrafficOptions = {}) {
  // Nothing here may pass because time did.
  const traffic = new Traffic({ rebuildMs: 1e6, limitMs: 1e6, ...options });
  const address = new RedisAddress({ url: 'redis://127.0.0.1' });
  let outcome: (() => Promise<StubConnection>) | undefined;
  const connect = observedConnect(async () => {
    if (outcome === undefined) throw new Error('refused');
    return outcome();
  }, traffic);
  return {
    traffic,
    refused: (withSignal = signal) => {
      outcome = undefined;
      return connect(address, 'commands', withSignal).catch(() => {});
    },
    connected: async (purpose: ConnectionPurpose = 'commands') => {
      const stub = new StubConnection();
      outcome = async () => stub;
      return { stub, connection: await connect(address, purpose, signal) };
    },
  };
}

/** Whether it is quiet before anything else happens; what it waits for comes later. */
async function isQuiet(traffic: Traffic): Promise<boolean> {
  let quiet = false;
  traffic.quiet().then(
    () => {
      quiet = true;
    },
    () => {},
  );
  for (let turn = 0; turn < 50; turn++) await macrotask();
  return quiet;
}

describe('Traffic', () => {
  it('is quiet when there are no connections, and when nothing is in flight on them', async () => {
    const { traffic, connected } = observed();
    expect(await isQuiet(traffic)).toBe(true);
    await connected();
    await connected('subscriptions');
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('waits for replies, and for what they set off a few macrotasks later', async () => {
    const { traffic, connected } = observed();
    const { stub, connection } = await connected();
    const chain = connection.send(['GET', 'a']).then(async () => {
      for (let turn = 0; turn < 3; turn++) await macrotask();
      await connection.send(['GET', 'b']);
    });
    const quiet = traffic.quiet();
    stub.answer('GET a');
    await vi.waitUntil(() => stub.asked.length > 0);
    expect(await isQuiet(traffic)).toBe(false);
    stub.answer('GET b');
    await quiet;
    await chain;
  });

  it('waits until a subscriber has answered a PING, and for what its messages set off', async () => {
    const { traffic, connected } = observed();
    const { stub: commands, connection } = await connected();
    const { stub, connection: subscriber } = await connected('subscriptions');
    const subscribed = subscriber.subscribe('news');
    stub.answer('SUBSCRIBE news');
    await subscribed;
    subscriber.onMessage = (_, message) => void connection.send(['GET', message]);
    let quiet = false;
    const rest = traffic.quiet().then(() => {
      quiet = true;
    });
    await vi.waitUntil(() => stub.asked.length > 0);
    stub.onMessage?.('news', Buffer.from('a'));
    stub.answer('PING');
    await vi.waitUntil(() => commands.asked.length > 0);
    expect(quiet).toBe(false);
    commands.answer('GET a');
    await vi.waitUntil(() => stub.asked.length > 0);
    expect(quiet).toBe(false);
    stub.answer('PING');
    await rest;
  });

  it('asks no subscriber that expects no message', async () => {
    const { traffic, connected } = observed();
    const { stub, connection } = await connected('subscriptions');
    const done = connection.subscribe('news').then(() => connection.unsubscribe('news'));
    stub.answer('SUBSCRIBE news');
    await vi.waitUntil(() => stub.asked.length > 0);
    stub.answer('UNSUBSCRIBE news');
    await done;
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('waits while a connection is being made', async () => {
    const traffic = new Traffic();
    let connect: (stub: StubConnection) => void = () => {};
    const pending = new Promise<StubConnection>((resolve) => {
      connect = resolve;
    });
    const address = new RedisAddress({ url: 'redis://127.0.0.1' });
    const connection = observedConnect(() => pending, traffic)(address, 'commands', signal);
    expect(await isQuiet(traffic)).toBe(false);
    connect(new StubConnection());
    await connection;
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('waits for a lost connection until it is there again, whatever was in flight on it', async () => {
    const { traffic, connected, refused } = observed();
    const { stub, connection } = await connected();
    connection.send(['GET', 'never answered']);
    stub.end(new Error('reset'));
    await connection.closed;
    expect(await isQuiet(traffic)).toBe(false);
    await refused();
    expect(await isQuiet(traffic)).toBe(false);
    await connected('subscriptions');
    expect(await isQuiet(traffic)).toBe(false);
    await connected();
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('waits for one that its owner gave up for being silent', async () => {
    const { traffic, connected } = observed();
    const { connection } = await connected();
    connection.destroy(new RedisTimeoutError('silent'));
    await connection.closed;
    expect(await isQuiet(traffic)).toBe(false);
    await connected();
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('does not wait for connections that ended with their store', async () => {
    const { traffic, connected, refused } = observed();
    const { connection } = await connected();
    const { connection: lost } = await connected('subscriptions');
    lost.destroy(new RedisTimeoutError('silent'));
    await lost.closed;
    expect(await isQuiet(traffic)).toBe(false);
    connection.send(['GET', 'never answered']);
    connection.destroy(new Error('The store was closed.'));
    await connection.closed;
    await refused(AbortSignal.abort(new Error('The store was closed.')));
    expect(await isQuiet(traffic)).toBe(true);
  });

  it('gives up on a connection that is not made again', async () => {
    const { traffic, connected } = observed({ rebuildMs: 5 });
    const { stub, connection } = await connected();
    stub.end(new Error('reset'));
    await connection.closed;
    await traffic.quiet();
  });

  it('fails, and says what was in flight, when it does not come to rest', async () => {
    const { traffic, connected } = observed({ limitMs: 20 });
    const { connection } = await connected();
    connection.send(['SET', 'key', Buffer.alloc(9)]);
    await expect(traffic.quiet()).rejects.toThrow(
      'Redis did not come to rest within 0.02 s. In flight: SET key <9 bytes> (commands).',
    );
    const { stub, connection: subscriber } = await connected('subscriptions');
    const subscribed = subscriber.subscribe('news');
    stub.answer('SUBSCRIBE news');
    await subscribed;
    stub.end(new Error('reset'));
    await subscriber.closed;
    await expect(traffic.quiet()).rejects.toThrow(
      'SET key <9 bytes> (commands); the connection for subscriptions to redis://127.0.0.1:6379/0, which was lost and is not there again.',
    );
  });
});
