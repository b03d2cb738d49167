import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ValidationError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { JsonObject } from '../../../packages/holdfast/src/lib/json/json-value.ts';
import type { MetadataSchema } from '../../../packages/holdfast/src/lib/model/metadata.ts';
import { noCredentials } from '../../../packages/holdfast/src/lib/model/session.ts';
import type { ListOptions } from '../../../packages/holdfast/src/lib/store/session-store.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import { type Instance, SharedNamespace } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const planInWords: MetadataSchema<JsonObject, JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as JsonObject).plan === 'string'
        ? { value: value as JsonObject }
        : { issues: [{ message: 'plan must be text' }] },
  },
};

/** Two instances, one of which knows what metadata are to be, and the other one does not. */
async function setUp() {
  const place = new SharedNamespace(server.url);
  const strict = await place.instance({ metadata: planInWords });
  const lax = await place.instance();
  await strict.store.create('s', { metadata: { plan: 'free' } });
  const spoil = () => lax.store.update('s', { metadata: { plan: 7 } });
  return { strict, lax, spoil };
}

describe('metadata that another instance wrote, and the schema here refuses,', () => {
  it.each<[string, JsonObject | null]>([
    ['counters and messages', null],
    ['of the session’s state', { escalated: true }],
  ])('fail no turn that has begun before, with changes %s', async (_, patch) => {
    const { strict, lax, spoil } = await setUp();
    const result = await strict.turn('s', async (turn) => {
      if (patch !== null) turn.update(patch);
      turn.append({ role: 'user', content: 'Hi' });
      turn.increment('messageCount');
      await spoil();
      return 'done';
    });
    expect(result).toBe('done');
    expect(await lax.store.get('s')).toMatchObject({
      messageCount: 1,
      escalated: patch !== null,
      metadata: { plan: 7 },
    });
  });

  it('fail the checkpoint of a turn, and the turn with it', async () => {
    const { strict, lax, spoil } = await setUp();
    const turn = strict.turn('s', async (running) => {
      running.increment('messageCount');
      await spoil();
      await running.checkpoint().catch(() => {});
      running.increment('messageCount');
    });
    expect(await rejection(turn)).toBeInstanceOf(ValidationError);
    expect((await lax.store.get('s'))?.messageCount).toBe(1);
  });

  it('fail no page of a listing: it names the session, and shows the others', async () => {
    const { strict, lax, spoil } = await setUp();
    await lax.store.update('s', { userId: 'ada' });
    await strict.store.create('t', { userId: 'ada', metadata: { plan: 'pro' } });
    await spoil();
    const page = async (options: ListOptions = {}) => {
      const { sessions, unreadable, cursor } = await strict.store.listActive(options);
      return [sessions.map(({ id }) => id), unreadable.map(({ id }) => id), cursor];
    };
    const [why] = (await strict.store.listActive()).unreadable;
    expect(why).toMatchObject({ id: 's', code: 'VALIDATION', isDamaged: false });
    expect(why?.reason).toContain('plan must be text');
    expect(await page()).toEqual([['t'], ['s'], null]);
    expect(await page({ userId: 'ada' })).toEqual([['t'], ['s'], null]);
    expect(await page({ status: 'active', userId: 'ada' })).toEqual([['t'], ['s'], null]);
    // Its state can be read: so it is known what it is not.
    expect(await page({ status: 'closed', userId: 'ada' })).toEqual([[], [], null]);
    await lax.store.update('s', { userId: 'bob' });
    expect(await page({ userId: 'ada' })).toEqual([['t'], [], null]);
    expect(await page({ userId: 'bob' })).toEqual([[], ['s'], null]);
  });

  it.each<[string, (instance: Instance) => Promise<unknown>]>([
    ['an update', ({ store }) => store.update('s', { escalated: true })],
    ['a new token', ({ store }) => store.setCredentials('s', { ...noCredentials, tokenHash: 'h' })],
  ])('refuse %s, which is told by the session, before it is written', async (_, write) => {
    const { strict, lax, spoil } = await setUp();
    await spoil();
    expect(await rejection(write(strict))).toBeInstanceOf(ValidationError);
    expect(await lax.store.getWithCredentials('s')).toMatchObject({
      session: { version: 2, escalated: false },
      credentials: { tokenHash: null },
    });
  });
});
