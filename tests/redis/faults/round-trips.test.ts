import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import type { Ask } from '../support/asking.ts';
import { Monitor, nameOf, type SeenCommand } from '../support/monitor.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';
import { withoutBackground } from '../support/without-background.ts';

/** Time stands still, so that no claim lapses, however slow the machine is. */
let server: FakeTimeRedis;
beforeAll(async () => {
  server = await startRedisOnFakeTime();
});
afterAll(() => server.stop());

async function watched() {
  const place = new SharedNamespace(server.url, { clock: withoutBackground });
  const ask = await place.asking();
  const monitor = await Monitor.of(server.port);
  return { place, ask, monitor };
}

/** The commands of stores' connections for commands, and those of their subscriptions. */
async function byPurpose(ask: Ask, seen: readonly SeenCommand[]) {
  const clients = String(await ask('CLIENT', 'LIST')).split('\n');
  const addressesOf = (name: string) =>
    clients.flatMap((line) =>
      line.includes(` name=${name} `) ? [/ addr=(\S+)/.exec(line)?.[1]] : [],
    );
  const of = (name: string) => {
    const addresses = addressesOf(name);
    expect(addresses).not.toEqual([]);
    return seen.filter(({ address }) => addresses.includes(address)).map(nameOf);
  };
  return { commands: of('holdfast-commands'), subscriptions: of('holdfast-subscriptions') };
}

/** A heartbeat may come at any time, on the connection that waits for messages. */
const heartbeat = 'PING';

describe('what a turn asks of Redis', () => {
  it('is two script calls for a plain turn, and nothing else', async () => {
    const { place, ask, monitor } = await watched();
    const sessions = await place.instance();
    await sessions.store.create('s');
    await monitor.take();
    await sessions.turn('s', async (turn) => {
      turn.append({ role: 'user', content: 'Where is my order?' });
      turn.update({ metadata: { topic: 'orders' } });
      turn.increment('messageCount');
    });
    const { commands, subscriptions } = await byPurpose(ask, await monitor.take());
    expect(commands).toEqual(['begin', 'write']);
    expect(subscriptions.filter((name) => name !== heartbeat)).toEqual([]);
    expect((await sessions.store.get('s'))?.messageCount).toBe(1);
  });

  it('is three for a message to an agent: its token is checked by begin', async () => {
    const { place, ask, monitor } = await watched();
    const sessions = await place.instance();
    const { session, token } = await sessions.create({ userId: 'ada' });
    await monitor.take();
    const options = { token, idempotencyKey: 'request-1', idempotencyRequest: { message: 'Hi' } };
    await sessions.turn(session.id, options, async (turn) => {
      turn.append({ role: 'user', content: 'Hi' });
      turn.increment('messageCount');
      await turn.checkpoint();
      turn.append({ role: 'assistant', content: 'Hello' });
      return 'Hello';
    });
    const { commands, subscriptions } = await byPurpose(ask, await monitor.take());
    expect(commands).toEqual(['begin', 'write', 'write']);
    expect(subscriptions.filter((name) => name !== heartbeat)).toEqual([]);
    const history = await sessions.store.messages(session.id);
    expect(history.map(({ content }) => content)).toEqual(['Hi', 'Hello']);
  });

  it('is one for the repeat of a turn, which gets the stored outcome', async () => {
    const { place, ask, monitor } = await watched();
    const sessions = await place.instance();
    await sessions.store.create('s');
    await sessions.turn('s', { idempotencyKey: 'k' }, async () => 42);
    await monitor.take();
    expect(await sessions.turn('s', { idempotencyKey: 'k' }, async () => 0)).toBe(42);
    expect((await byPurpose(ask, await monitor.take())).commands).toEqual(['begin']);
  });

  it('is three for a turn that has to wait: to ask, to claim and to commit', async () => {
    const { place, ask, monitor } = await watched();
    const instances = [await place.instance(), await place.instance()];
    await instances[0]?.store.create('s');
    const [, queue] = place.keys.session('s');
    await monitor.take();
    const turns = 50;
    let left = instances.length;
    await Promise.all(
      instances.map(async (sessions) => {
        for (let count = 0; count < turns; count += 1) {
          await sessions.turn('s', async (turn) => {
            turn.increment('messageCount');
            // So that every turn but the first and the last has to wait.
            const others = async () => left === 1 || (await ask('ZCARD', queue)) === '1';
            await vi.waitUntil(others, { timeout: 60_000, interval: 1 });
          });
        }
        left -= 1;
      }),
    );
    const { commands, subscriptions } = await byPurpose(ask, await monitor.take());
    expect(new Set(commands)).toEqual(new Set(['begin', 'write']));
    expect(commands.length / (2 * turns)).toBeGreaterThan(2.9);
    expect(commands.length / (2 * turns)).toBeLessThanOrEqual(3.1);
    expect(subscriptions.filter((name) => name !== heartbeat)).toEqual([]);
    expect((await instances[0]?.store.get('s'))?.messageCount).toBe(2 * turns);
  });
});
