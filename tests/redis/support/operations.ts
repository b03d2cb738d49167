import { expect, vi } from 'vitest';
import { VersionConflictError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import type { JsonObject } from '../../../packages/holdfast/src/lib/json/json-value.ts';
import { prepareMessage } from '../../../packages/holdfast/src/lib/model/message.ts';
import { parsePatch } from '../../../packages/holdfast/src/lib/model/state.ts';
import { prepareOutput, turnEvents } from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import type {
  BeginOptions,
  Lease,
  TurnChanges,
  TurnEnd,
  TurnGrant,
} from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import type { Instance } from './shared-namespace.ts';

/** One case: a session of its own, and instances to work on it. */
export interface Scene {
  readonly id: string;
  readonly one: Instance;
  readonly other: Instance;
  /** The server's, which only this moves. */
  readonly clock: { readonly now: () => number; readonly advance: (ms: number) => void };
  /** How many wait for the session. */
  waiters(): Promise<string>;
}

/** What is tried: more than once, when it was refused. */
export interface Attempt {
  act(): Promise<unknown>;
  /** Throws unless `act` has had its whole effect. */
  verify(): Promise<void>;
}

export interface Operation {
  readonly name: string;
  /** Of the session's keys: those without which it must not go on, counted from 1. */
  readonly needs: readonly number[];
  prepare(scene: Scene): Promise<Attempt>;
}

const handingOver = [1, 2, 3, 4, 5, 6, 7];
/** What ends a session removes whatever is at the keys that are its own. */
const shared = [5, 6, 7, 10, 12, 13, 14];
const end: TurnEnd = { keep: false, outcome: undefined };
const key = { key: 'k', requestDigest: 'd' };

/** A message, a change of the state and one of a counter, and so every part of a session. */
const changes = (more: Partial<TurnChanges> = {}): TurnChanges => ({
  nonce: crypto.randomUUID(),
  messages: [prepareMessage({ role: 'user', content: 'Hi' })],
  patches: [parsePatch({ metadata: { seen: true } })],
  increments: new Map([['messageCount', 1]]),
  ...more,
});

async function isWritten({ one, id }: Scene): Promise<void> {
  expect(await one.store.get(id)).toMatchObject({ messageCount: 1, metadata: { seen: true } });
  expect((await one.store.messages(id)).map(({ content }) => content)).toEqual(['Hi']);
}

function beginning(
  name: string,
  options: Partial<BeginOptions>,
  needs: readonly number[],
): Operation {
  return {
    name,
    needs,
    prepare: async ({ one, id }) => {
      await one.store.create(id);
      let granted: TurnGrant<JsonObject> | undefined;
      return {
        act: async () => {
          granted = await one.begin(id, options);
        },
        verify: async () => {
          if (granted === undefined) throw new Error('It was never granted.');
          expect(await one.store.release(granted.lease)).toBe(true);
        },
      };
    },
  };
}

/** Resolves when somebody waits; never when it cannot be told, for then there is a failure to wait for. */
async function isQueued({ waiters }: Scene): Promise<void> {
  const one = async () => (await waiters().catch(() => 'unknown')) === '1';
  await vi.waitUntil(one, { timeout: 60_000, interval: 1 });
}

function queueing(onBusy: 'wait' | 'interrupt'): Operation {
  return {
    name: `begin where somebody else is at work (${onBusy})`,
    needs: handingOver,
    prepare: async (scene) => {
      const { one, other, id } = scene;
      await one.store.create(id);
      const holder = await other.begin(id);
      return {
        act: async () => {
          const leaving = new AbortController();
          const begun = one.begin(id, { onBusy, signal: leaving.signal });
          await Promise.race([begun, isQueued(scene)]);
          leaving.abort(new Error('That is all.'));
          await expect(begun).rejects.toThrow('That is all.');
        },
        verify: async () => {
          expect(await scene.waiters()).toBe('0');
          const commit = other.store.commit(holder.lease, changes(), end);
          await commit;
          await isWritten(scene);
        },
      };
    },
  };
}

function writing(
  name: string,
  needs: readonly number[],
  write: { options?: Partial<BeginOptions>; changes?: Partial<TurnChanges>; end?: TurnEnd },
): Operation {
  return {
    name,
    needs,
    prepare: async (scene) => {
      const { one, id } = scene;
      await one.store.create(id);
      const { lease } = await one.begin(id, write.options);
      return {
        act: () => one.store.commit(lease, changes(write.changes), write.end ?? end),
        verify: () => isWritten(scene),
      };
    },
  };
}

function renewing(name: string, leaseMs: number, needs: readonly number[]): Operation {
  return {
    name,
    needs,
    prepare: async ({ one, id, clock }) => {
      await one.store.create(id);
      const { lease } = await one.begin(id);
      let renewed = lease;
      return {
        act: async () => {
          renewed = await one.store.renew(lease, leaseMs);
        },
        verify: async () => {
          expect(renewed.expiresAt).toBe(clock.now() + leaseMs);
        },
      };
    },
  };
}

/** With somebody who waits for the session, and gets it. */
async function withWaiter(scene: Scene, act: (lease: Lease) => Promise<unknown>): Promise<Attempt> {
  const { one, other, id } = scene;
  await one.store.create(id);
  const { lease } = await one.begin(id);
  const waiting = other.begin(id);
  waiting.catch(() => {}); // its failure is seen in `verify`
  await isQueued(scene);
  return {
    act: () => act(lease),
    verify: async () => {
      expect(await other.store.release((await waiting).lease)).toBe(true);
    },
  };
}

const output = [turnEvents.started(1), prepareOutput({ type: 'text', text: 'Hello' })];

/** Every way to each script. */
export const operations: readonly Operation[] = [
  beginning('begin', {}, [1, 6]),
  beginning('begin for longer than the session would live', { leaseMs: 7_200_000 }, [1, 6, 14]),
  beginning('begin under a key', { idempotency: key }, [1, 3, 6]),
  queueing('wait'),
  queueing('interrupt'),
  {
    name: 'begin where a lease has run out',
    needs: handingOver,
    prepare: async (scene) => {
      const { one, other, id, clock } = scene;
      await one.store.create(id);
      const dead = await other.begin(id, { leaseMs: 1_000, idempotency: key });
      await other.store.emit(dead.lease, output, 'n1');
      clock.advance(1_001);
      let granted: TurnGrant<JsonObject> | undefined;
      return {
        act: async () => {
          granted = await one.begin(id, { idempotency: key });
        },
        verify: async () => {
          expect(granted?.attempt).toBe(2);
        },
      };
    },
  },
  writing('a commit', [1, 6, 8, 9], {}),
  writing('a commit under a key', [1, 3, 6, 8, 9], {
    options: { idempotency: key },
    end: { keep: false, outcome: 1 },
  }),
  writing('a commit with output', [1, 4, 6, 8, 9], {
    changes: { output: [...output, turnEvents.completed()] },
  }),
  writing('a commit that hands the session over to a human', [1, 6, 8, 9, 10], {
    changes: { patches: [parsePatch({ status: 'handed_over', metadata: { seen: true } })] },
  }),
  writing('a checkpoint', [1, 6, 8, 9], { end: { keep: true, leaseMs: 60_000 } }),
  {
    name: 'a commit that others wait for',
    needs: [...handingOver, 8, 9],
    prepare: async (scene) => {
      const attempt = await withWaiter(scene, (lease) =>
        scene.one.store.commit(lease, changes(), end),
      );
      return {
        ...attempt,
        verify: async () => {
          await attempt.verify();
          await isWritten(scene);
        },
      };
    },
  },
  {
    name: 'a release that others wait for',
    needs: [...handingOver, 9],
    prepare: (scene) => withWaiter(scene, (lease) => scene.one.store.release(lease)),
  },
  {
    name: 'an update from outside',
    needs: [1, 9],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id);
      return {
        act: () => one.store.update(id, { metadata: { seen: true } }),
        verify: async () => {
          expect(await other.store.get(id)).toMatchObject({ metadata: { seen: true }, version: 2 });
        },
      };
    },
  },
  {
    name: 'a message from outside',
    needs: [1, 8, 9],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id);
      return {
        act: () => one.store.appendMessages(id, [{ role: 'operator', content: 'Hi' }]),
        verify: async () => {
          expect((await other.store.messages(id)).map(({ seq }) => seq)).toEqual([1]);
        },
      };
    },
  },
  {
    name: 'an increment from outside',
    needs: [1, 9],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id);
      return {
        act: () => one.store.incrementCounter(id, 'clicks'),
        verify: async () => {
          expect((await other.store.get(id))?.counters).toEqual({ clicks: 1 });
        },
      };
    },
  },
  {
    name: 'a new token',
    needs: [1, 9],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id);
      const credentials = { tokenHash: 'h', clientBinding: null, authenticatedAt: 1 };
      return {
        act: () => one.store.setCredentials(id, credentials),
        verify: async () => {
          const stored = await other.store.getWithCredentials(id);
          expect(stored?.credentials.tokenHash).toBe('h');
        },
      };
    },
  },
  renewing('a renewal', 90_000, [1, 6]),
  renewing('a renewal for longer than the session would live', 7_200_000, [1, 6, 14]),
  {
    name: 'live output',
    needs: [1, 4],
    prepare: async ({ one, id }) => {
      await one.store.create(id);
      const { lease } = await one.begin(id);
      return {
        act: () => one.store.emit(lease, output, 'n1'),
        verify: async () => {
          expect((await one.store.subscribe(id, { after: 1 }).next()).value).toMatchObject({
            seq: 2,
            text: 'Hello',
          });
        },
      };
    },
  },
  {
    name: 'create',
    needs: [...handingOver, 9, 10, 11, 12, 13],
    prepare: async ({ one, other, id }) => ({
      act: () => one.store.create(id),
      verify: async () => {
        expect(await other.store.get(id)).toMatchObject({ version: 1 });
        expect(await other.store.countActive()).toBe(1);
      },
    }),
  },
  {
    name: 'create where a session is',
    needs: [1, 9, 11],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id);
      return {
        act: async () => {
          const taken = one.store.create(id);
          await taken.catch((error) => {
            if (!(error instanceof VersionConflictError)) throw error;
          });
        },
        verify: async () => {
          expect(await other.store.get(id)).toMatchObject({ version: 1 });
        },
      };
    },
  },
  {
    name: 'create where a session was',
    needs: [...handingOver, 9, 10, 11, 12, 13],
    prepare: async ({ one, other, id }) => {
      await one.store.create(id, { status: 'closed' });
      await one.store.delete(id);
      return {
        act: () => one.store.create(id),
        verify: async () => {
          expect(await other.store.get(id)).toMatchObject({ version: 1, status: 'active' });
          expect((await other.store.listActive({ status: 'closed' })).sessions).toEqual([]);
        },
      };
    },
  },
  {
    name: 'create where an expired session is',
    needs: [...handingOver, 9, 10, 11, 12, 13],
    prepare: async ({ one, other, id, clock }) => {
      await one.store.create(id, { status: 'handed_over', metadata: { old: true } });
      await one.store.appendMessages(id, [{ role: 'user', content: 'old' }]);
      clock.advance(1_900_000);
      return {
        act: () => one.store.create(id),
        verify: async () => {
          expect(await other.store.get(id)).toMatchObject({ version: 1, metadata: {} });
          expect(await other.store.messages(id)).toEqual([]);
        },
      };
    },
  },
  {
    name: 'delete',
    needs: shared,
    prepare: async ({ one, other, id }) => {
      await one.store.create(id, { status: 'handed_over' });
      await one.begin(id);
      return {
        act: () => one.store.delete(id),
        verify: async () => {
          expect(await other.store.get(id)).toBeNull();
          expect(await other.store.listActive({ status: 'handed_over' })).toMatchObject({
            sessions: [],
          });
        },
      };
    },
  },
  {
    name: 'the removal of what has expired',
    needs: shared,
    prepare: async ({ one, other, id, clock }) => {
      await one.store.create(id, { status: 'handed_over' });
      clock.advance(1_900_000);
      return {
        act: () => one.store.cleanupExpired(),
        verify: async () => {
          expect(await other.store.countActive()).toBe(0);
          await other.store.create(id);
        },
      };
    },
  },
  {
    name: 'touch',
    needs: [1, 5],
    prepare: async ({ one, other, id, clock }) => {
      await one.store.create(id);
      clock.advance(1_000);
      return {
        act: () => one.store.touch(id),
        verify: async () => {
          expect(await other.store.get(id)).toMatchObject({ lastActivity: clock.now() });
        },
      };
    },
  },
  {
    name: 'a page of the history',
    needs: [1, 8],
    prepare: async ({ one, id }) => {
      await one.store.create(id);
      await one.store.appendMessages(id, [{ role: 'user', content: 'Hi' }]);
      let page: readonly unknown[] = [];
      return {
        act: async () => {
          page = await one.store.messages(id);
        },
        verify: async () => {
          expect(page).toHaveLength(1);
        },
      };
    },
  },
  {
    name: 'a read',
    needs: [1],
    prepare: async ({ one, id }) => {
      await one.store.create(id);
      let found: unknown;
      return {
        act: async () => {
          found = await one.store.get(id);
        },
        verify: async () => {
          expect(found).toMatchObject({ id });
        },
      };
    },
  },
  {
    name: 'a look at the live output of a turn that died',
    needs: handingOver,
    prepare: async ({ one, other, id, clock }) => {
      await one.store.create(id);
      const { lease } = await one.begin(id, { leaseMs: 1_000 });
      await one.store.emit(lease, output, 'n1');
      clock.advance(1_001);
      let seen: unknown;
      return {
        act: async () => {
          seen = (await other.store.subscribe(id, { after: 2 }).next()).value;
        },
        verify: async () => {
          expect(seen).toMatchObject({ seq: 3, type: 'turn.failed', code: 'LEASE_LOST' });
        },
      };
    },
  },
];
