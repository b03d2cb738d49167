import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  LeaseLostError,
  OutcomeUnknownError,
} from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { prepareOutput, turnEvents } from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import type { TurnEnd } from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { rejection } from '../connection/fixtures.ts';
import {
  contents,
  end,
  type LossyScene,
  lossyScene,
  message,
} from '../support/lines/lossy-scene.ts';
import { callOf } from '../support/requests.ts';
import type { Instance } from '../support/shared-namespace.ts';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

describe('a call whose reply is lost takes effect once, and its caller gets the true result', () => {
  it.each<
    [
      string,
      Parameters<typeof callOf>[0],
      (scene: LossyScene, lose: () => Promise<void>) => Promise<void>,
    ]
  >([
    [
      'create',
      'create',
      async ({ one, other }, lose) => {
        const lost = lose();
        const session = await one.store.create('s', { metadata: { a: 1 } });
        await lost;
        expect(session).toMatchObject({ version: 1, metadata: { a: 1 } });
        expect(await other.store.get('s')).toEqual(session);
        expect(await other.store.countActive()).toBe(1);
      },
    ],
    [
      'the reservation in a user’s index',
      'user',
      async ({ one, other }, lose) => {
        const lost = lose();
        await one.store.create('s', { userId: 'ada' });
        await lost;
        const { sessions } = await other.store.listActive({ userId: 'ada' });
        expect(sessions.map(({ id }) => id)).toEqual(['s']);
      },
    ],
    [
      'update',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const session = await one.store.update('s', { metadata: { a: 1 } });
        await lost;
        expect(session).toMatchObject({ version: 2, metadata: { a: 1 } });
        expect(await other.store.get('s')).toEqual(session);
      },
    ],
    [
      'set',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const session = await one.store.set('s', { metadata: { a: 1 } }, { ifVersion: 1 });
        await lost;
        expect(session).toMatchObject({ version: 2, metadata: { a: 1 } });
        expect(await other.store.get('s')).toEqual(session);
      },
    ],
    [
      'increment',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        expect(await one.store.incrementCounter('s', 'clicks', 2)).toBe(2);
        await lost;
        expect((await other.store.get('s'))?.counters).toEqual({ clicks: 2 });
      },
    ],
    [
      'append',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const appended = await one.store.appendMessages('s', [{ role: 'operator', content: 'Hi' }]);
        await lost;
        expect(appended.map(({ seq }) => seq)).toEqual([1]);
        expect(await other.store.messages('s')).toEqual(appended);
      },
    ],
    [
      'a new token',
      'write',
      async ({ one, other }, lose) => {
        const { session } = await other.create({ sessionId: 's' });
        const lost = lose();
        const { token } = await one.rotateToken(session.id);
        await lost;
        expect(await other.authenticate(token)).toMatchObject({ id: 's', version: 2 });
      },
    ],
    [
      'delete',
      'remove',
      async ({ one, other }, lose) => {
        await other.store.create('s', { userId: 'ada' });
        const lost = lose();
        expect(await one.store.delete('s')).toBe(true);
        await lost;
        expect(await other.store.get('s')).toBeNull();
        expect(await other.store.delete('s')).toBe(false);
        expect((await other.store.listActive({ userId: 'ada' })).sessions).toEqual([]);
      },
    ],
    [
      'the begin of a turn',
      'begin',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const attempts: number[] = [];
        await one.turn('s', { idempotencyKey: 'k' }, async (turn) => {
          attempts.push(turn.attempt);
          turn.increment('messageCount');
        });
        await lost;
        expect(attempts).toEqual([1]);
        expect(await other.store.get('s')).toMatchObject({ messageCount: 1, version: 2 });
      },
    ],
    [
      'a commit',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const result = await one.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'Hi' });
          turn.update({ escalated: true });
          return turn.increment('messageCount');
        });
        await lost;
        expect(result).toBe(1);
        expect(await contents(other)).toEqual(['Hi']);
        expect(await other.store.get('s')).toMatchObject({
          messageCount: 1,
          escalated: true,
          version: 2,
        });
      },
    ],
    [
      'a commit under a key',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const lost = lose();
        const turn = (sessions: Instance) =>
          sessions.turn('s', { idempotencyKey: 'k' }, async (running) => {
            running.append({ role: 'user', content: 'Hi' });
            return { answer: running.increment('messageCount') };
          });
        expect(await turn(one)).toEqual({ answer: 1 });
        await lost;
        expect(await turn(other)).toEqual({ answer: 1 });
        expect(await contents(other)).toEqual(['Hi']);
        expect(await other.store.get('s')).toMatchObject({ messageCount: 1, version: 2 });
      },
    ],
    [
      'a checkpoint',
      'write',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        await one.turn('s', async (turn) => {
          turn.append({ role: 'user', content: 'Hi' });
          const lost = lose();
          await turn.checkpoint();
          await lost;
          expect(await contents(other)).toEqual(['Hi']);
          expect((await turn.messages()).map(({ seq }) => seq)).toEqual([1]);
          turn.append({ role: 'assistant', content: 'Hello' });
        });
        expect(await contents(other)).toEqual(['Hi', 'Hello']);
        expect((await other.store.get('s'))?.version).toBe(3);
      },
    ],
    [
      'a release',
      'leave',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const { lease } = await one.begin('s');
        const waiting = other.begin('s');
        const lost = lose();
        expect(await one.store.release(lease)).toBe(true);
        await lost;
        const granted = await waiting;
        expect(granted.lease.fence).toBeGreaterThan(lease.fence);
        // The repeat has not taken away the next one's lease.
        await other.store.commit(granted.lease, { nonce: 'n' }, end);
      },
    ],
    [
      'live output',
      'keep',
      async ({ one, other }, lose) => {
        await other.store.create('s');
        const { lease } = await one.begin('s');
        const lost = lose();
        await one.store.emit(lease, [turnEvents.started(1), prepareOutput({ type: 'text' })], 'n');
        await lost;
        await one.store.commit(lease, { nonce: 'm', output: [turnEvents.completed()] }, end);
        const seen: string[] = [];
        for await (const event of other.subscribe('s', { after: 0 })) {
          seen.push(`${event.seq} ${event.type}`);
          if (event.type === 'turn.completed') break;
        }
        expect(seen).toEqual(['1 turn.started', '2 text', '3 turn.completed']);
      },
    ],
  ])('%s', async (_, script, body) => {
    const scene = await lossyScene(server);
    await body(scene, () => scene.proxy.cutNextReply(callOf(script)));
    expect(scene.proxy.faults.cutBeforeReply).toBe(1);
  });

  it('the claim of one that waited for its turn', async () => {
    const { one, other, proxy, isWaiting } = await lossyScene(server);
    await other.store.create('s');
    const { lease } = await other.begin('s');
    const attempts: number[] = [];
    const waiting = one.turn('s', { idempotencyKey: 'k' }, async (turn) => {
      attempts.push(turn.attempt);
      turn.increment('messageCount');
    });
    await isWaiting();
    const lost = proxy.cutNextReply(callOf('begin'));
    await other.store.release(lease);
    await Promise.all([lost, waiting]);
    expect(attempts).toEqual([1]);
    expect(await other.store.get('s')).toMatchObject({ messageCount: 1, version: 2 });
  });

  it('the question whether there is a replica: what waits for one is done where there is none', async () => {
    const { one, other, proxy } = await lossyScene(server, { retries: 0 });
    const { token } = await other.create({ sessionId: 's' });
    const lostAtRotation = proxy.cutNextReply((request) => request.includes('\r\nROLE\r\n'));
    const rotated = await one.rotateToken('s', undefined, token);
    await lostAtRotation;
    expect(await other.authenticate(rotated.token)).toMatchObject({ id: 's' });
    const lostAtDeletion = proxy.cutNextReply((request) => request.includes('\r\nROLE\r\n'));
    expect(await one.store.delete('s')).toBe(true);
    await lostAtDeletion;
  });

  it('the asking of one that has to wait: it keeps its place', async () => {
    const { one, other, proxy, isWaiting } = await lossyScene(server);
    await other.store.create('s');
    const { lease } = await other.begin('s');
    const lost = proxy.cutNextReply(callOf('begin'));
    const order: string[] = [];
    const first = one.turn('s', async () => {
      order.push('first');
    });
    await lost;
    await isWaiting();
    const second = other.turn('s', async () => {
      order.push('second');
    });
    await other.store.release(lease);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });
});

describe('a write whose reply is lost', () => {
  const commit = async ({ one, proxy }: LossyScene) => {
    await one.store.create('s');
    // The one connection that is there is cut, and no new one comes about.
    proxy.refuse();
    const lost = proxy.cutNextReply(callOf('write'));
    const result = one.turn('s', async (turn) => {
      turn.append({ role: 'user', content: 'lost' });
      return turn.increment('messageCount');
    });
    result.catch(() => {});
    await lost;
    return result;
  };

  it.each([1, 30])(
    'succeeds, with %i commits of later holders before its repeat',
    async (later) => {
      const scene = await lossyScene(server);
      const { one, other, proxy } = scene;
      const committed = Promise.resolve(commit(scene));
      await vi.waitUntil(() => proxy.faults.cutBeforeReply === 1, { timeout: 60_000, interval: 1 });
      for (let count = 1; count <= later; count += 1) {
        await other.turn('s', async (turn) => {
          turn.append({ role: 'user', content: `later ${count}` });
          turn.increment('messageCount');
        });
      }
      proxy.accept();
      expect(await committed).toBe(1);
      expect((await contents(one)).slice(0, 2)).toEqual(['lost', 'later 1']);
      expect(await one.store.get('s')).toMatchObject({
        messageCount: later + 1,
        version: later + 2,
      });
    },
  );

  it('says that its outcome is unknown, and not that it was refused, where it is forgotten', async () => {
    const scene = await lossyScene(server);
    const { one, other, proxy, forget } = scene;
    const committed = rejection(commit(scene));
    await vi.waitUntil(() => proxy.faults.cutBeforeReply === 1, { timeout: 60_000, interval: 1 });
    for (let count = 0; count < 40; count += 1) await other.store.incrementCounter('s', 'clicks');
    await forget();
    proxy.accept();
    expect(await committed).toBeInstanceOf(OutcomeUnknownError);
    expect(await contents(one)).toEqual(['lost']);
  });

  it.each([
    [1, 'remembered'],
    [100, 'remembered'],
    [40, 'forgotten'],
  ] as const)(
    'from outside is made once, with %i others before its repeat, and is %s',
    async (later, what) => {
      const { one, other, proxy, forget } = await lossyScene(server);
      await other.store.create('s');
      proxy.refuse();
      const lost = proxy.cutNextReply(callOf('write'));
      const made = one.store.incrementCounter('s', 'mine').catch((error: unknown) => error);
      await lost;
      for (let count = 0; count < later; count += 1)
        await other.store.incrementCounter('s', 'clicks');
      if (what === 'forgotten') await forget();
      proxy.accept();
      const result = await made;
      const counters = async () => (await other.store.get('s'))?.counters;
      expect(await counters()).toEqual({ mine: 1, clicks: later });
      if (what === 'remembered') {
        expect(result).toBe(1);
        return;
      }
      expect(result).toBeInstanceOf(OutcomeUnknownError);
      // A repeat by hand knows no better, and does no harm either.
      const { nonce } = result as OutcomeUnknownError;
      const again = one.store.incrementCounter('s', 'mine', 1, { nonce });
      await expect(again).rejects.toThrow(OutcomeUnknownError);
      expect(await counters()).toEqual({ mine: 1, clicks: later });
    },
  );

  it('to a later session than the one that its instance knew is made once', async () => {
    const { one, other, proxy } = await lossyScene(server);
    await one.store.create('s');
    for (let count = 0; count < 5; count += 1) await one.store.incrementCounter('s', 'clicks');
    await other.store.delete('s');
    await other.store.create('s');
    for (let count = 0; count < 4; count += 1) await other.store.incrementCounter('s', 'clicks');
    // With this one the version is that which the instance knows of the earlier session.
    const lost = proxy.cutNextReply(callOf('write'));
    expect(await one.store.incrementCounter('s', 'clicks')).toBe(5);
    await lost;
    expect(await other.store.get('s')).toMatchObject({ counters: { clicks: 5 }, version: 6 });
  });

  it('under a lease is made once, whether or not its caller saw that it was', async () => {
    const { one, other } = await lossyScene(server);
    await one.store.create('s');
    const { lease } = await one.begin('s');
    const keep: TurnEnd = { keep: true, leaseMs: 30_000 };
    const checkpoint = async (nonce: string) => {
      const { messages } = await one.store.commit(
        lease,
        { nonce, messages: [message(nonce)] },
        keep,
      );
      return messages.map(({ seq }) => seq);
    };
    expect(await checkpoint('n-1')).toEqual([1]);
    expect(await checkpoint('n-1')).toEqual([1]);
    expect(await checkpoint('n-2')).toEqual([2]);
    expect(await checkpoint('n-1')).toEqual([1]);
    expect(await contents(other)).toEqual(['n-1', 'n-2']);
  });

  it('is still refused where its lease was lost before it', async () => {
    const { one, other, proxy } = await lossyScene(server);
    await one.store.create('s');
    const { lease } = await one.begin('s', { leaseMs: 100 });
    const next = await other.begin('s');
    const lost = proxy.cutNextReply(callOf('write'));
    const refused = one.store.commit(lease, { nonce: 'n', messages: [message('stale')] }, end);
    await expect(refused).rejects.toThrow(LeaseLostError);
    await lost;
    expect(await contents(other)).toEqual([]);
    expect(await other.store.release(next.lease)).toBe(true);
  });
});
