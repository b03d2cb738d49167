import { type JsonObject, type MetadataSchema, TurnInterruptedError } from 'holdfast';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DecryptionError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import { idempotency, withLostEffects } from '../support/lost-effects.ts';
import { type InstanceOptions, SharedNamespace } from '../support/shared-namespace.ts';
import { GatedConnections } from './gated-connections.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

/** More than all else that is sent for a session. */
const plan = 'p'.repeat(100_000);

const refusing: MetadataSchema<JsonObject, JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: () => ({ issues: [{ message: 'not this one' }] }),
  },
};

function scene() {
  const place = new SharedNamespace(server.url);
  /** An instance, and what Redis is asked by it and sends. */
  const opened = async (l1: object | undefined, options: InstanceOptions) => {
    const gates = new GatedConnections();
    const sessions = await place.instance({ l1, connect: gates.connect, ...options });
    const ask = await place.asking();
    const sentBytes = async () =>
      Number(/^total_net_output_bytes:(\d+)/m.exec(String(await ask('INFO', 'stats')))?.[1]);
    /** Whether Redis sends the session's values while this is done, and in how many calls. */
    const during = async (work: () => Promise<unknown>) => {
      const [bytes, calls] = [await sentBytes(), gates.calls];
      await work();
      const made = gates.calls - calls;
      return { sent: (await sentBytes()) - bytes > plan.length, calls: made };
    };
    return { sessions, during };
  };
  return { place, opened };
}

async function setUp(l1: object | undefined, options: InstanceOptions = {}) {
  const { place, opened } = scene();
  const codec = encrypting(place.keyPrefix);
  const other = await place.instance({ codec });
  await other.store.create('s', { metadata: { plan } });
  return { other, ...(await opened(l1, { codec, ...options })) };
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

  it.each<[string, (scene: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>]>([
    [
      'fails',
      async ({ sessions }) => {
        const turn = sessions.turn('s', () => Promise.reject(new Error('mine')));
        await expect(turn).rejects.toThrow('mine');
      },
    ],
    [
      'is a repeat',
      async ({ sessions }) => {
        const key = { idempotencyKey: 'once' };
        for (const _ of [1, 2]) expect(await sessions.turn('s', key, () => 'done')).toBe('done');
      },
    ],
    [
      'is interrupted by another instance',
      async ({ sessions, other }) => {
        const turn = sessions.turn('s', async ({ signal }) => {
          const aborted = new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          });
          const next = other.turn('s', { onBusy: 'interrupt' }, () => 'next');
          await aborted.finally(() => void next.catch(() => {}));
        });
        await expect(turn).rejects.toThrow(TurnInterruptedError);
        await other.turn('s', () => 'after it');
      },
    ],
  ])('keeps nothing beyond a turn that %s', async (_how, work) => {
    const scene = await setUp(undefined);
    await work(scene);
    const { sessions, during } = scene;
    expect(await during(() => sessions.store.get('s'))).toEqual({ sent: true, calls: 1 });
  });

  it('keeps nothing of a session whose turn may not begin, as its metadata is refused', async () => {
    const { sessions, during } = await setUp(undefined, { metadata: refusing });
    const refused = 'not this one';
    await expect(sessions.turn('s', () => 1)).rejects.toThrow(refused);
    const read = () => expect(sessions.store.get('s')).rejects.toThrow(refused);
    expect(await during(read)).toEqual({ sent: true, calls: 1 });
  });

  it('keeps nothing of a session whose turn may not begin, as no key opens its effects', async () => {
    const { place, opened } = scene();
    const { kept: codec } = await withLostEffects(place, { plan });
    const { sessions, during } = await opened(undefined, { codec });
    const begin = sessions.begin('s', { idempotency });
    await expect(begin).rejects.toThrow(DecryptionError);
    expect(await during(() => sessions.store.get('s'))).toEqual({ sent: true, calls: 1 });
  });
});

it('with an L1 the values of a session that is known are not sent again', async () => {
  const { sessions, during } = await setUp({});
  await sessions.turn('s', (turn) => turn.increment('messageCount'));
  const turn = () => sessions.turn('s', (turn) => turn.increment('messageCount'));
  expect(await during(turn)).toEqual({ sent: false, calls: 2 });
  const update = () => sessions.store.update('s', { escalated: true });
  expect(await during(update)).toEqual({ sent: false, calls: 1 });
});
