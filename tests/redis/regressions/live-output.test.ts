import { setImmediate as macrotask } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  OutcomeUnknownError,
  SessionNotFoundError,
  StoreUnavailableError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { SessionManager } from '../../../packages/holdfast/src/lib/manager/session-manager.ts';
import type { TurnEvent } from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import { FakeClock } from '../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { flakyProxyForTest } from '../support/lines/flaky-proxy.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** All output of the session’s turn, which has ended. */
async function outputOf({ store }: Instance): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of store.subscribe('s', { after: 0 })) {
    seen.push(event.type === 'text' ? textOf(event) : event.type);
    if (event.type === 'turn.completed' || event.type === 'turn.failed') break;
  }
  return seen;
}

const textOf = (event: TurnEvent) => ('text' in event ? String(event.text) : '');
const text = (piece: string) => ({ type: 'text', text: piece });

describe('live output', () => {
  it('is read and opened once for all who wait for it in one process', async () => {
    const place = new SharedNamespace(server.url);
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    let ready = 0;
    const waiting = Array.from({ length: 3 }, () =>
      one.store.subscribe('s', { onReady: () => (ready += 1) }),
    );
    const given = waiting.map((events) => events.next());
    await vi.waitUntil(() => ready === waiting.length, { timeout: 60_000 });
    // None of them begins to wait before the last one does.
    await macrotask();
    await other.turn('s', async (turn) => turn.emit(text('1')));
    const [first, ...others] = await Promise.all(given);
    expect(first?.value).toMatchObject({ seq: 1 });
    for (const { value } of others) expect(value).toBe(first?.value);
    await Promise.all(waiting.map((events) => events.return?.()));
  });

  it('that comes during a checkpoint keeps its order', async () => {
    const outputIntervalMs = 50;
    const place = new SharedNamespace(server.url, { outputIntervalMs });
    const held = new HeldCalls();
    const [{ store }, other] = [
      await place.instance({ connect: held.connect }),
      await place.instance(),
    ];
    const clock = new FakeClock();
    const sessions = new SessionManager({ store, clock, leaseMs: 30_000 });
    await store.create('s');
    const emitted = vi.spyOn(store, 'emit');
    await sessions.turn('s', async (turn) => {
      // The first goes at once; the second waits for the interval, or the checkpoint.
      turn.emit(text('1'));
      await vi.waitUntil(() => emitted.mock.settledResults[0]?.type === 'fulfilled');
      turn.emit(text('2'));
      const hold = held.hold('write', 'keep');
      const checkpoint = turn.checkpoint();
      await hold.reached;
      turn.emit(text('3'));
      await clock.advance(outputIntervalMs);
      await macrotask();
      // What was sent before this has been done by now.
      await store.exists('s');
      hold.release();
      await checkpoint;
      turn.emit(text('4'));
    });
    expect(await outputOf(other)).toEqual(['turn.started', '1', '2', '3', '4', 'turn.completed']);
  });

  it('whose write is in doubt when the turn ends is there once', async () => {
    const place = new SharedNamespace(server.url, { outputIntervalMs: 50 });
    const [one, other] = [await place.instance(), await place.instance()];
    await one.store.create('s');
    const { store } = one;
    const emit = store.emit.bind(store);
    const emitted = vi.spyOn(store, 'emit').mockImplementationOnce(async (...args) => {
      await emit(...args);
      throw new OutcomeUnknownError('The reply was lost.', { nonce: args[2] });
    });
    await one.turn('s', async (turn) => {
      turn.emit(text('1'));
      await vi.waitUntil(() => emitted.mock.settledResults[0]?.type === 'rejected');
    });
    expect(await outputOf(other)).toEqual(['turn.started', '1', 'turn.completed']);
  });

  it('that a checkpoint in doubt has written is there once', async () => {
    const place = new SharedNamespace(server.url, { outputIntervalMs: 50 });
    const [{ store }, other] = [await place.instance(), await place.instance()];
    // The interval never passes: both pieces are the checkpoint’s to write.
    const sessions = new SessionManager({ store, clock: new FakeClock(), leaseMs: 30_000 });
    await store.create('s');
    const emitted = vi.spyOn(store, 'emit');
    const commit = store.commit.bind(store);
    const losesItsReply: typeof commit = async (...args) => {
      await commit(...args);
      throw new OutcomeUnknownError('The reply was lost.', { nonce: args[1].nonce });
    };
    // The call, and its one repeat.
    vi.spyOn(store, 'commit')
      .mockImplementationOnce(losesItsReply)
      .mockImplementationOnce(losesItsReply);
    const turn = sessions.turn('s', async (running) => {
      running.emit(text('1'));
      await vi.waitUntil(() => emitted.mock.settledResults[0]?.type === 'fulfilled');
      running.emit(text('2'));
      await running.checkpoint();
    });
    expect(await rejection(turn)).toBeInstanceOf(OutcomeUnknownError);
    // Its release is not waited for.
    expect(await outputOf(other)).toEqual(['turn.started', '1', '2', 'turn.failed']);
  });
});

/** Tells whether a promise has ended, either way. */
function settled(promise: Promise<unknown>): { readonly done: boolean } {
  const state = { done: false };
  const end = () => {
    state.done = true;
  };
  promise.then(end, end);
  return state;
}

/** Which readers of live output the stores of this process keep, to ring them. */
function watchReaders(): { readonly kept: number; readonly seen: number } {
  const places: [Set<unknown>, object][] = [];
  const add = Set.prototype.add;
  const spy = vi.spyOn(Set.prototype, 'add').mockImplementation(function (
    this: Set<unknown>,
    value: unknown,
  ) {
    if (typeof value === 'object' && value !== null && 'rung' in value) places.push([this, value]);
    return add.call(this, value);
  });
  onTestFinished(() => spy.mockRestore());
  return {
    get kept() {
      return places.filter(([set, value]) => set.has(value)).length;
    },
    get seen() {
      return places.length;
    },
  };
}

describe('a subscription', () => {
  it('leaves nothing behind when Redis cannot be reached', async () => {
    const place = new SharedNamespace(server.url);
    const proxy = await flakyProxyForTest(server.port, { rate: 0 });
    // What is not cut must succeed in it, also on a busy machine.
    const instance = await place.instance({ url: proxy.url, timeoutMs: 3_000 });
    const ask = await place.asking();
    const channel = place.keys.session('s')[3];
    const subscribed = async () => (await ask('PUBSUB', 'CHANNELS', channel)) as readonly string[];
    await instance.store.create('s');
    const readers = watchReaders();

    // The control: one that succeeds is kept as long as it is read.
    const sound = instance.store.subscribe('s')[Symbol.asyncIterator]();
    const next = sound.next();
    await vi.waitUntil(() => readers.kept === 1, { timeout: 60_000 });
    expect(await subscribed()).toEqual([channel]);
    await sound.return?.();
    expect((await next).done).toBe(true);
    await vi.waitUntil(async () => (await subscribed()).length === 0, { timeout: 60_000 });
    expect(readers).toMatchObject({ kept: 0, seen: 1 });

    const cut = proxy.cutNextReply((request) => /subscribe\r\n/i.test(request.toString()));
    proxy.refuse();
    const failing = instance.store.subscribe('s')[Symbol.asyncIterator]();
    expect(await rejection(failing.next())).toBeInstanceOf(StoreUnavailableError);
    await cut;
    expect(readers.kept).toBe(0);

    proxy.accept();
    const reached = () => instance.store.exists('s').catch(() => false);
    await vi.waitUntil(reached, { timeout: 60_000, interval: 10 });
    // Another channel’s subscription shows that the connection for them is there again.
    await instance.store.create('t');
    let there = instance.store.subscribe('t')[Symbol.asyncIterator]();
    let waiting = settled(there.next());
    await vi.waitUntil(
      () => {
        // Until the connection is back, each try fails within the store's time.
        if (waiting.done) {
          there = instance.store.subscribe('t')[Symbol.asyncIterator]();
          waiting = settled(there.next());
        }
        return readers.kept === 1;
      },
      { timeout: 60_000 },
    );
    expect(await subscribed()).toEqual([]);
    await there.return?.();
    await vi.waitUntil(() => waiting.done);
    expect(readers.kept).toBe(0);
  });

  it('leaves nothing behind when there is no such session', async () => {
    const place = new SharedNamespace(server.url);
    const { store } = await place.instance();
    const ask = await place.asking();
    const readers = watchReaders();
    const failing = store.subscribe('none')[Symbol.asyncIterator]();
    expect(await rejection(failing.next())).toBeInstanceOf(SessionNotFoundError);
    expect(readers.kept).toBe(0);
    const channel = place.keys.session('none')[3];
    await vi.waitUntil(
      async () => ((await ask('PUBSUB', 'CHANNELS', channel)) as readonly string[]).length === 0,
      { timeout: 60_000 },
    );
  });
});
