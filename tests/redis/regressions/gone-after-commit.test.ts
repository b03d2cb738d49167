import { afterAll, beforeAll, expect, it } from 'vitest';
import { SessionGoneError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { SessionStore } from '../../../packages/holdfast/src/lib/store/session-store.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

it.each<[string, (store: SessionStore) => Promise<unknown>]>([
  ['has ended', (store) => store.delete('s')],
  [
    'has ended, and another one has its id,',
    async (store) => {
      await store.delete('s');
      await store.create('s', { metadata: { of: 'somebody else' } });
    },
  ],
])('a session that %s while its committed turn is read is gone', async (_, end) => {
  const place = new SharedNamespace(server.url);
  const calls = new HeldCalls();
  const one = await place.instance({ connect: calls.connect });
  const other = await place.instance();
  await one.store.create('s');
  const [key] = place.keys.session('s');
  let turn: Promise<unknown> = Promise.resolve();
  const committed = new Promise<ReturnType<typeof calls.hold>>((resolve) => {
    turn = one.turn('s', async (running) => {
      running.increment('messageCount');
      // A state that this instance has yet to read.
      await other.store.update('s', { escalated: true });
      resolve(calls.hold('read', key));
    });
  });
  const read = await committed;
  await read.reached;
  await end(other.store);
  read.release();
  expect(await rejection(turn)).toBeInstanceOf(SessionGoneError);
});
