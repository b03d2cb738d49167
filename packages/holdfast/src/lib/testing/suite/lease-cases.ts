import assert from 'node:assert/strict';
import {
  LeaseLostError,
  LockTimeoutError,
  SessionBusyError,
  SessionGoneError,
  SessionNotFoundError,
  ValidationError,
} from '../../errors/errors.ts';
import { prepareMessage } from '../../model/message.ts';
import { parsePatch } from '../../model/state.ts';
import type { Lease, TurnChanges } from '../../store/turn-store.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

const changes = (content: string): TurnChanges => ({
  nonce: crypto.randomUUID(),
  messages: [prepareMessage({ role: 'user', content })],
  increments: new Map([['n', 1]]),
});

const ended = { keep: false, outcome: undefined } as const;

/** Laws 3 and 5: the fence holds against every stale holder, and deletion against every holder. */
export function leaseCases(context: SuiteContext): void {
  const { leaseMs } = context;

  context.group('leases', () => {
    context.case('law 3: at most one holder, whoever asks and from wherever', async () => {
      const { sessions, store, writer } = await context.place();
      const writers = [sessions, await writer(), await writer()];
      await store.create('s');
      let inside = 0;
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          writers[index % 3]?.turn('s', async (turn) => {
            inside += 1;
            assert.equal(inside, 1, 'alone');
            await context.settle();
            turn.increment('n');
            order.push(index);
            inside -= 1;
          }),
        ),
      );
      assert.equal((await store.get('s', { fresh: true }))?.counters.n, 60);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: 60 }, (_, index) => index),
      );
    });

    context.case(
      'law 3: fencing tokens only grow, over turns and over creations of the id',
      async () => {
        const { store } = await context.place();
        const fences: number[] = [];
        for (let round = 0; round < 3; round += 1) {
          await store.create('s');
          for (let turn = 0; turn < 3; turn += 1) {
            const { lease } = await context.beginByHand(store, 's');
            fences.push(lease.fence);
            await store.release(lease);
          }
          await store.delete('s');
        }
        for (const [index, fence] of fences.entries()) {
          assert.ok(Number.isSafeInteger(fence));
          if (index > 0) assert.ok(fence > (fences[index - 1] ?? 0), 'greater than the one before');
        }
      },
    );

    context.case('a dead holder’s session is taken over when its lease has ended', async () => {
      const { sessions, store, writer } = await context.place();
      const other = (await writer()).store;
      await store.create('s');
      const dead = await context.beginByHand(store, 's');
      await assert.rejects(context.beginByHand(other, 's', { onBusy: 'reject' }), SessionBusyError);
      await context.clock.advance(leaseMs + 1);
      const heir = await context.beginByHand(other, 's', { onBusy: 'reject' });
      assert.ok(heir.lease.fence > dead.lease.fence);
      await other.release(heir.lease);
      assert.equal(await sessions.turn('s', async () => 'free'), 'free');
    });

    const takenOver = async () => {
      const place = await context.place();
      const other = (await place.writer()).store;
      await place.store.create('s');
      const stale = await context.beginByHand(place.store, 's');
      await context.clock.advance(leaseMs + 1);
      const holder = await context.beginByHand(other, 's');
      return { ...place, other, stale: stale.lease, holder: holder.lease };
    };

    const assertUnharmed = async (
      { other, holder }: Awaited<ReturnType<typeof takenOver>>,
      version: number,
    ) => {
      const session = await other.get('s', { fresh: true });
      assert.equal(session?.version, version);
      assert.equal((await other.messages('s')).length, 0);
      const result = await other.commit(holder, changes('mine'), ended);
      assert.equal(result.session.counters.n, 1, 'the holder still holds, and commits');
    };

    context.case('law 3: a stale commit changes nothing, and throws LeaseLostError', async () => {
      const taken = await takenOver();
      await assert.rejects(
        taken.store.commit(taken.stale, changes('stale'), ended),
        LeaseLostError,
      );
      await assertUnharmed(taken, 1);
      // Also once the session is free again: a fence is not only for the time of another's lease.
      await assert.rejects(
        taken.store.commit(taken.stale, changes('stale'), ended),
        LeaseLostError,
      );
      assert.equal((await taken.store.get('s'))?.version, 2);
    });

    context.case(
      'law 3: a commit after the lease’s end is refused, also when nobody took over',
      async () => {
        const { store } = await context.place();
        await store.create('s');
        const { lease } = await context.beginByHand(store, 's');
        await context.clock.advance(leaseMs + 1);
        await assert.rejects(store.commit(lease, changes('late'), ended), LeaseLostError);
        assert.equal((await store.get('s'))?.version, 1);
      },
    );

    context.case('law 3: a stale release frees nothing', async () => {
      const taken = await takenOver();
      assert.equal(await taken.store.release(taken.stale), false);
      await assert.rejects(
        context.beginByHand(taken.store, 's', { onBusy: 'reject' }),
        SessionBusyError,
      );
      await assertUnharmed(taken, 1);
    });

    context.case('law 3: a stale renewal extends nothing', async () => {
      const taken = await takenOver();
      await assert.rejects(taken.store.renew(taken.stale, leaseMs * 100), LeaseLostError);
      await context.clock.advance(leaseMs + 1);
      const next = await context.beginByHand(taken.store, 's', { onBusy: 'reject' });
      assert.ok(next.lease.fence > taken.holder.fence);
    });

    context.case('law 3: a stale holder’s live output is refused', async () => {
      const taken = await takenOver();
      await assert.rejects(taken.store.emit(taken.stale, [], crypto.randomUUID()), LeaseLostError);
      await assertUnharmed(taken, 1);
    });

    context.case('law 3: a right fence under a wrong owner is refused', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's');
      const forged: Lease = { ...lease, nonce: crypto.randomUUID() };
      await assert.rejects(store.commit(forged, changes('forged'), ended), LeaseLostError);
      const wrongFence: Lease = { ...lease, fence: lease.fence + 1 };
      await assert.rejects(store.commit(wrongFence, changes('forged'), ended), LeaseLostError);
      assert.equal(await store.release(forged), false);
      assert.equal((await store.commit(lease, changes('right'), ended)).session.version, 2);
    });

    context.case('begin enters again under the same nonce', async () => {
      const { store } = await context.place();
      await store.create('s');
      const nonce = crypto.randomUUID();
      const first = await context.beginByHand(store, 's', { nonce, onBusy: 'reject' });
      const again = await context.beginByHand(store, 's', { nonce, onBusy: 'reject' });
      assert.equal(again.lease.fence, first.lease.fence);
    });

    context.case('a commit repeated under its nonce returns the first one’s result', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's');
      const same = changes('once');
      const first = await store.commit(lease, same, ended);
      const next = await context.beginByHand(store, 's');
      await store.commit(next.lease, changes('the next holder'), ended);
      assert.deepEqual(await store.commit(lease, same, ended), first);
      assert.equal((await store.messages('s')).length, 2);
      assert.equal((await store.get('s'))?.counters.n, 2);
    });

    context.case(
      'a commit that cannot be written whole writes nothing, and keeps the lease',
      async () => {
        const { store } = await context.place();
        await store.create('s', { counters: { n: Number.MAX_SAFE_INTEGER } });
        const before = await store.get('s');
        const { lease } = await context.beginByHand(store, 's');
        const bad: TurnChanges = { ...changes('x'), patches: [parsePatch({ escalated: true })] };
        await assert.rejects(store.commit(lease, bad, ended), ValidationError);
        assert.deepEqual(await store.get('s'), before);
        assert.deepEqual(await store.messages('s'), []);
        assert.equal(await store.release(lease), true);
      },
    );

    context.case('a checkpoint renews the lease', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's');
      await context.clock.advance(leaseMs * 0.8);
      const kept = await store.commit(lease, changes('a'), { keep: true, leaseMs });
      await context.clock.advance(leaseMs * 0.8);
      assert.ok(kept.lease);
      await store.commit(kept.lease, changes('b'), ended);
      assert.equal((await store.messages('s')).length, 2);
    });

    context.case('a release after the lease’s end gives nothing up', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's');
      await context.clock.advance(leaseMs + 1);
      assert.equal(await store.release(lease), false);
    });

    context.case('a holder whose session is deleted learns it by its signal', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      let signal: AbortSignal | undefined;
      const turn = sessions.turn('s', async (turn) => {
        signal = turn.signal;
        inside.open();
        await new Promise(() => {});
      });
      turn.catch(() => {});
      await inside.promise;
      await store.delete('s');
      await context.until(() => signal?.aborted === true, leaseMs);
      await assert.rejects(turn, SessionGoneError);
    });

    context.case('what a turn commits is told as events, and keeps the user’s cap', async () => {
      const { sessions, store } = await context.place({ maxPerUser: 1 });
      await store.create('older', { userId: 'u' });
      await store.create('s');
      const seen: string[] = [];
      for (const name of ['escalated', 'status', 'evicted'] as const) {
        store.on(name, ({ sessionId }) => seen.push(`${name} ${sessionId}`));
      }
      await sessions.turn('s', async (turn) => {
        turn.update({ userId: 'u', escalated: true, status: 'handed_over' });
      });
      await context.until(() => seen.length === 3);
      assert.deepEqual(seen.sort(), ['escalated s', 'evicted older', 'status s']);
      assert.equal(await store.get('older'), null);
    });

    context.case('a listener may begin a turn, and one that fails harms nobody', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      let answered: Promise<string> | undefined;
      store.on('escalated', async () => {
        throw new RangeError('a listener’s own failure');
      });
      store.on('escalated', () => {
        answered = sessions.turn('s', async () => 'begun by a listener');
      });
      await sessions.turn('s', async (turn) => {
        turn.update({ escalated: true });
        await turn.checkpoint();
        await context.settle();
      });
      assert.equal(await answered, 'begun by a listener');
    });

    context.case('renewal keeps a long turn’s session, at a third of the lease', async () => {
      const { sessions, store } = await context.place();
      await store.create('s');
      const inside = new Gate();
      const goOn = new Gate();
      const turn = sessions.turn('s', async (turn) => {
        inside.open();
        await goOn.promise;
        turn.increment('n');
        return turn.signal.aborted;
      });
      await inside.promise;
      for (let thirds = 0; thirds < 12; thirds += 1) {
        await context.clock.advance(leaseMs / 3);
        await assert.rejects(
          context.beginByHand(store, 's', { onBusy: 'reject' }),
          SessionBusyError,
        );
      }
      goOn.open();
      assert.equal(await turn, false);
      assert.equal((await store.get('s'))?.counters.n, 1);
    });

    context.case('law 5: delete wins over a running turn', async () => {
      const { sessions, store, writer } = await context.place();
      const other = (await writer()).store;
      await store.create('s');
      const inside = new Gate();
      const goOn = new Gate();
      const turn = sessions.turn('s', async (turn) => {
        turn.append({ role: 'user', content: 'x' });
        inside.open();
        await goOn.promise;
      });
      turn.catch(() => {});
      await inside.promise;
      assert.equal(await other.delete('s'), true);
      goOn.open();
      await assert.rejects(turn, SessionGoneError);
      assert.equal(await store.get('s', { fresh: true }), null);
      await assert.rejects(store.messages('s'), SessionNotFoundError);
    });

    context.case('law 5: a turn cannot write into a new session of the same id', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's');
      await store.delete('s');
      await store.create('s', { metadata: { fresh: true } });
      const writes: readonly (() => Promise<unknown>)[] = [
        () => store.commit(lease, changes('old'), ended),
        () => store.commit(lease, changes('old'), { keep: true, leaseMs }),
        () => store.renew(lease, leaseMs),
        () => store.emit(lease, [], crypto.randomUUID()),
        () => store.messages('s', { incarnation: lease.incarnation }),
      ];
      for (const write of writes) await assert.rejects(write, SessionGoneError);
      assert.equal(await store.release(lease), false);
      const session = await store.get('s');
      assert.equal(session?.version, 1);
      assert.deepEqual(session?.metadata, { fresh: true });
      assert.equal((await store.messages('s')).length, 0);
    });

    context.case(
      'law 5: touches and outside writes do not bring a deleted session back',
      async () => {
        const { store } = await context.place();
        await store.create('s');
        await store.delete('s');
        assert.equal(await store.touch('s'), false);
        await assert.rejects(store.update('s', { escalated: true }), SessionNotFoundError);
        await assert.rejects(store.incrementCounter('s', 'n'), SessionNotFoundError);
        await assert.rejects(
          store.appendMessages('s', [{ role: 'user', content: 'x' }]),
          SessionNotFoundError,
        );
        assert.equal(await store.exists('s'), false);
      },
    );

    context.case('law 5: who waits for a session that is deleted learns it at once', async () => {
      const { store } = await context.place();
      await store.create('s');
      await context.beginByHand(store, 's');
      const waiting = context.beginByHand(store, 's');
      waiting.catch(() => {});
      await context.until(async () => (await store.getStats()).waiters === 1);
      await store.delete('s');
      await assert.rejects(waiting, SessionGoneError);
    });

    context.case('a wait that is too long is a LockTimeoutError', async () => {
      const { store } = await context.place();
      await store.create('s');
      const { lease } = await context.beginByHand(store, 's', { leaseMs: leaseMs * 10 });
      const waiting = context.beginByHand(store, 's', { waitMs: leaseMs });
      waiting.catch(() => {});
      await context.clock.advance(leaseMs + 1);
      await assert.rejects(waiting, (error) => {
        assert.ok(error instanceof LockTimeoutError);
        assert.match(error.message, /^Failed to acquire lock for session/);
        return true;
      });
      assert.equal(await store.release(lease), true);
    });
  });
}
