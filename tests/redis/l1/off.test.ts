import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';
import { GatedConnections } from './gated-connections.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** More than all else that is sent for a session. */
const plan = 'p'.repeat(100_000);

async function setUp(l1: object | undefined) {
  const place = new SharedNamespace(server.url);
  const gates = new GatedConnections();
  const codec = encrypting(place.keyPrefix);
  const sessions = await place.instance({ codec, l1, connect: gates.connect });
  const ask = await place.asking();
  const sentBytes = async () =>
    Number(/^total_net_output_bytes:(\d+)/m.exec(String(await ask('INFO', 'stats')))?.[1]);
  await sessions.store.create('s', { metadata: { plan } });
  await sessions.turn('s', (turn) => turn.increment('messageCount'));
  /** Whether Redis sends the session's values while this is done, and in how many calls. */
  const during = async (work: () => Promise<unknown>) => {
    const [bytes, calls] = [await sentBytes(), gates.calls];
    await work();
    const made = gates.calls - calls;
    return { sent: (await sentBytes()) - bytes > plan.length, calls: made };
  };
  return { sessions, during };
}

describe('an instance without an L1', () => {
  it('keeps nothing of a session beyond the turn: its values are sent for each', async () => {
    const { sessions, during } = await setUp(undefined);
    const turn = () => sessions.turn('s', (turn) => turn.increment('messageCount'));
    expect(await during(turn)).toEqual({ sent: true, calls: 2 });
    expect(await during(turn)).toEqual({ sent: true, calls: 2 });
    expect(await during(() => sessions.store.get('s'))).toEqual({ sent: true, calls: 1 });
    expect(await during(() => sessions.store.get('s'))).toEqual({ sent: true, calls: 1 });
    const update = () => sessions.store.update('s', { escalated: true });
    expect(await during(update)).toEqual({ sent: true, calls: 2 });
  });

  it('has what a turn goes on from until that ends: its commits need no more calls', async () => {
    const { sessions, during } = await setUp(undefined);
    const work = () =>
      sessions.turn('s', async (turn) => {
        turn.update({ metadata: { step: 1 } });
        await turn.checkpoint();
        turn.update({ metadata: { step: 2 } });
      });
    expect(await during(work)).toEqual({ sent: true, calls: 3 });
    expect((await sessions.store.get('s'))?.metadata).toEqual({ plan, step: 2 });
  });
});

it('with an L1 the values of a session that is known are not sent again', async () => {
  const { sessions, during } = await setUp({});
  const turn = () => sessions.turn('s', (turn) => turn.increment('messageCount'));
  expect(await during(turn)).toEqual({ sent: false, calls: 2 });
  const update = () => sessions.store.update('s', { escalated: true });
  expect(await during(update)).toEqual({ sent: false, calls: 1 });
});
