import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  OutcomeUnknownError,
  SessionGoneError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { SessionStore } from '../../../packages/holdfast/src/lib/store/session-store.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { late, patient } from '../faults/late.ts';
import { HeldCalls } from '../support/lines/held-calls.ts';
import { end, lossyScene } from '../support/lines/lossy-scene.ts';
import { callOf } from '../support/requests.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const ends: [string, (store: SessionStore) => Promise<unknown>][] = [
  ['has ended', (store) => store.delete('s')],
  [
    'has ended, and another one has its id,',
    async (store) => {
      await store.delete('s');
      await store.create('s', { metadata: { of: 'somebody else' } });
    },
  ],
];

it.each(ends)('a session that %s while its committed turn is read is gone', async (_, end) => {
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

it.each(ends)('a session that %s before its commit is repeated is gone', async (_, endIt) => {
  const { one, other, proxy, recovered } = await lossyScene(server, patient);
  await other.store.create('s');
  const { lease } = await one.begin('s');
  // Of its state the commit says nothing.
  const commit = () =>
    one.store.commit(lease, { nonce: 'c', increments: new Map([['messageCount', 1]]) }, end);
  proxy.refuse();
  const lost = proxy.cutNextReply(callOf('write'));
  expect(await late(commit(), lost)).toBeInstanceOf(OutcomeUnknownError);
  await endIt(other.store);
  proxy.accept();
  await recovered();
  expect(await rejection(commit())).toBeInstanceOf(SessionGoneError);
});
