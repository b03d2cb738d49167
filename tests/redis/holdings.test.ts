import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { HeldCalls } from './support/lines/held-calls.ts';
import { SharedNamespace } from './support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('what is held of a session', () => {
  it.each([
    ['that ends while it is read is nothing', false],
    ['is not what is held of another one that takes its id meanwhile', true],
  ])('%s', async (_, isTaken) => {
    const place = new SharedNamespace(server.url);
    const calls = new HeldCalls();
    const one = await place.instance({ connect: calls.connect });
    const other = await place.instance();
    await other.store.create('s', { userId: 'ada' });
    const held = calls.hold('messages');
    const holdings = one.store.upkeep.holdings('s');
    await held.reached;
    await other.store.delete('s');
    if (isTaken) {
      await other.store.create('s', { userId: 'bob' });
      await other.store.appendMessages('s', [{ role: 'user', content: 'of Bob' }]);
    }
    held.release();
    expect(await holdings).toBeNull();
  });
});
