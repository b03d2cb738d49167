import assert from 'node:assert/strict';
import {
  type HoldfastError,
  InvalidTokenError,
  LockTimeoutError,
  SessionGoneError,
  SessionNotFoundError,
  StoreUnavailableError,
  TurnInterruptedError,
} from '../../errors/errors.ts';
import { interruptGraceMs } from '../../model/limits.ts';
import { Gate, type SuiteContext } from './suite-context.ts';

/** Law 4: the order of asking, and who may break it. */
export function queueCases(context: SuiteContext): void {
  const { leaseMs } = context;
  const waiters = async (place: Awaited<ReturnType<SuiteContext['place']>>, count: number) =>
    context.until(async () => (await place.store.getStats()).waiters === count);

  context.group('the queue', () => {
    context.case('law 4: the session goes to those who wait in the order of asking', async () => {
      const place = await context.place();
      const writers = [place.sessions, await place.writer(), await place.writer()];
      await place.store.create('s');
      const holder = await context.beginByHand(place.store, 's', { leaseMs: leaseMs * 20 });
      const order: number[] = [];
      const turns: Promise<void>[] = [];
      for (let index = 0; index < 12; index += 1) {
        const writer = writers[index % 3] ?? place.sessions;
        turns.push(
          writer.turn('s', { waitSeconds: 600 }, async () => {
            order.push(index);
          }),
        );
        await waiters(place, index + 1);
      }
      await place.store.release(holder.lease);
      await Promise.all(turns);
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    });

    context.case('law 4: nobody barges past those who wait', async () => {
      const place = await context.place();
      await place.store.create('s');
      const holder = await context.beginByHand(place.store, 's');
      const order: string[] = [];
      const first = place.sessions.turn('s', async () => {
        order.push('waited');
      });
      await waiters(place, 1);
      const released = place.store.release(holder.lease);
      const second = place.sessions.turn('s', async () => {
        order.push('came later');
      });
      await Promise.all([released, first, second]);
      assert.deepEqual(order, ['waited', 'came later']);
    });

    context.case('law 4: a dead waiter is skipped', async () => {
      const place = await context.place();
      await place.store.create('s');
      const holder = await context.beginByHand(place.store, 's', { leaseMs: leaseMs * 20 });
      const order: string[] = [];
      const left = new AbortController();
      const gone = place.sessions.turn('s', { signal: left.signal }, async () => {
        order.push('left');
      });
      gone.catch(() => {});
      await waiters(place, 1);
      const impatient = context.beginByHand(place.store, 's', { waitMs: leaseMs });
      impatient.catch(() => {});
      await waiters(place, 2);
      const patient = place.sessions.turn('s', async () => {
        order.push('patient');
      });
      await waiters(place, 3);
      left.abort(new Error('the client left'));
      await assert.rejects(gone, /the client left/);
      await context.clock.advance(leaseMs + 1);
      await assert.rejects(impatient, LockTimeoutError);
      await place.store.release(holder.lease);
      await patient;
      assert.deepEqual(order, ['patient']);
    });

    context.case(
      'law 4: who waits for a dead holder gets the session at its lease’s end',
      async () => {
        const place = await context.place();
        await place.store.create('s');
        await context.beginByHand(place.store, 's');
        const turn = place.sessions.turn('s', async () => 'mine');
        await waiters(place, 1);
        await context.clock.advance(leaseMs * 1.2);
        assert.equal(await turn, 'mine');
      },
    );

    context.case('law 4: a begin repeated while it waits does not wait behind itself', async () => {
      const place = await context.place();
      await place.store.create('s');
      const holder = await context.beginByHand(place.store, 's');
      const nonce = crypto.randomUUID();
      const first = context.beginByHand(place.store, 's', { nonce });
      await waiters(place, 1);
      const again = context.beginByHand(place.store, 's', { nonce });
      await place.store.release(holder.lease);
      assert.equal((await first).lease.fence, (await again).lease.fence);
      assert.equal((await place.store.getStats()).waiters, 0);
    });

    context.case('law 12: who may come in is asked again when the wait is over', async () => {
      const place = await context.place();
      const { session, token } = await place.sessions.create({ userId: 'ann' });
      const { id } = session;
      const holder = await context.beginByHand(place.store, id);
      const byUser = place.sessions.turn(id, { userId: 'ann' }, async () => 'in');
      byUser.catch(() => {});
      await waiters(place, 1);
      const byToken = place.sessions.turn(id, { token }, async () => 'in');
      byToken.catch(() => {});
      await waiters(place, 2);
      await place.store.update(id, { userId: 'bob' });
      await place.sessions.rotateToken(id);
      await place.store.release(holder.lease);
      await assert.rejects(byUser, SessionNotFoundError);
      await assert.rejects(byToken, InvalidTokenError);
      const free = place.sessions.turn(id, { onBusy: 'reject' }, async () => 'free');
      assert.equal(await free, 'free');
    });

    context.case(
      'law 7: a session that expires under those who wait is given to none of them',
      async () => {
        const absoluteTimeoutMs = leaseMs * 2;
        for (const options of [{ absoluteTimeoutMs }, { idleTimeoutMs: context.unitMs * 5 }]) {
          const place = await context.place(options);
          await place.store.create('s');
          await context.beginByHand(place.store, 's', { leaseMs: leaseMs * 2.5 });
          let ran = false;
          const turn = place.sessions.turn('s', async () => {
            ran = true;
          });
          turn.catch(() => {});
          await waiters(place, 1);
          await context.clock.advance(leaseMs * 3);
          await assert.rejects(turn, SessionGoneError);
          assert.equal(ran, false);
          assert.equal(await place.store.get('s'), null);
        }
      },
    );

    context.case('closing the store ends every wait', async () => {
      const place = await context.place();
      await place.store.create('s');
      await context.beginByHand(place.store, 's');
      const turn = place.sessions.turn('s', async () => 1);
      turn.catch(() => {});
      await waiters(place, 1);
      await place.store.close();
      await assert.rejects(turn, StoreUnavailableError);
    });

    context.case('closing a session turns those who wait away', async () => {
      const place = await context.place();
      await place.store.create('s');
      const holder = await context.beginByHand(place.store, 's');
      const turn = place.sessions.turn('s', async () => 1);
      turn.catch(() => {});
      await waiters(place, 1);
      await place.store.update('s', { status: 'closed' });
      await place.store.release(holder.lease);
      await assert.rejects(turn, SessionGoneError);
    });

    context.case('an interrupter goes first, and the holder may commit once', async () => {
      const place = await context.place();
      await place.store.create('s');
      const order: string[] = [];
      const inside = new Gate();
      const holder = place.sessions.turn('s', async (turn) => {
        inside.open();
        await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
        assert.ok(turn.signal.reason instanceof TurnInterruptedError);
        turn.append({ role: 'assistant', content: 'what I have so far' });
        order.push('holder');
        return 'partial';
      });
      await inside.promise;
      const waiting = place.sessions.turn('s', async () => {
        order.push('waiter');
      });
      await waiters(place, 1);
      const interrupter = place.sessions.turn('s', { onBusy: 'interrupt' }, async (turn) => {
        order.push('interrupter');
        return (await turn.messages()).map(({ content }) => content);
      });
      await context.until(() => order.length === 3);
      assert.equal(await holder, 'partial');
      assert.deepEqual(await interrupter, ['what I have so far']);
      await waiting;
      assert.deepEqual(order, ['holder', 'interrupter', 'waiter']);
    });

    context.case('an interrupted holder that checkpoints has had its one commit', async () => {
      const place = await context.place();
      await place.store.create('s');
      const inside = new Gate();
      const holder = place.sessions.turn('s', async (turn) => {
        inside.open();
        await new Promise((resolve) => turn.signal.addEventListener('abort', resolve));
        turn.append({ role: 'assistant', content: 'saved' });
        await turn.checkpoint();
        turn.append({ role: 'assistant', content: 'too much' });
        return 'never';
      });
      holder.catch(() => {});
      await inside.promise;
      const interrupter = place.sessions.turn('s', { onBusy: 'interrupt' }, async (turn) =>
        (await turn.messages()).map(({ content }) => content),
      );
      await assert.rejects(holder, TurnInterruptedError);
      assert.deepEqual(await interrupter, ['saved']);
    });

    context.case(
      'an interrupted holder that does not stop is fenced off after its grace',
      async () => {
        const place = await context.place();
        await place.store.create('s');
        const long = { leaseMs: interruptGraceMs * 5 };
        const { lease } = await context.beginByHand(place.store, 's', long);
        const reasons: string[] = [];
        const second = await place.writer();
        const interrupter = context.beginByHand(second.store, 's', {
          ...long,
          onBusy: 'interrupt',
        });
        await context.clock.advance(interruptGraceMs - context.unitMs);
        await assert.rejects(
          place.store.renew(lease, leaseMs),
          TurnInterruptedError,
          'it may not stay longer',
        );
        await context.clock.advance(context.unitMs * 3);
        const taken = await interrupter;
        assert.ok(taken.lease.fence > lease.fence);
        for (const write of [
          () =>
            place.store.commit(
              lease,
              { nonce: crypto.randomUUID() },
              { keep: false, outcome: null },
            ),
          () => place.store.renew(lease, leaseMs),
        ]) {
          await assert.rejects(write, (error) => {
            assert.ok(error instanceof TurnInterruptedError);
            reasons.push(error.code);
            return true;
          });
        }
        assert.equal(reasons.length, 2);
        assert.equal((await place.store.get('s', { fresh: true }))?.version, 1);
      },
    );

    context.case('an interrupter interrupts also one that had been ahead of it', async () => {
      const place = await context.place();
      await place.store.create('s');
      await context.beginByHand(place.store, 's');
      const order: string[] = [];
      const turn = (name: string) =>
        place.sessions.turn('s', { onBusy: 'interrupt' }, async () => order.push(name));
      const first = turn('first');
      first.catch(() => {});
      await waiters(place, 1);
      const second = turn('second');
      await waiters(place, 2);
      await context.until(() => order.includes('second'));
      await second;
      await assert.rejects(first, TurnInterruptedError);
      assert.deepEqual(order, ['second'], 'the first was taken over before it began');
    });

    context.case('a repeat does not interrupt the first attempt of its own turn', async () => {
      const place = await context.place();
      await place.store.create('s');
      const inside = new Gate();
      const goOn = new Gate();
      const ask = (answer: string) =>
        place.sessions.turn('s', { idempotencyKey: 'k', onBusy: 'interrupt' }, async (turn) => {
          void turn.signal;
          inside.open();
          await goOn.promise;
          return turn.signal.aborted ? 'interrupted' : answer;
        });
      const first = ask('first');
      await inside.promise;
      const repeat = ask('second');
      await waiters(place, 1);
      goOn.open();
      assert.deepEqual(await Promise.all([first, repeat]), ['first', 'first']);
    });

    context.case('an interrupter is not interrupted by a repeat of its own turn', async () => {
      const place = await context.place();
      await place.store.create('s');
      const { lease } = await context.beginByHand(place.store, 's');
      const told: string[] = [];
      const idempotency = { key: 'k', requestDigest: '' };
      const own = { onBusy: 'interrupt', waitMs: interruptGraceMs * 5, idempotency } as const;
      const onLost = ({ code }: HoldfastError) => void told.push(code);
      const first = context.beginByHand(place.store, 's', { ...own, onLost });
      await waiters(place, 1);
      const again = { ...own, nonce: crypto.randomUUID(), leaseMs };
      const repeat = place.store.begin('s', again);
      await waiters(place, 2);
      await place.store.release(lease);
      const end = { keep: false, outcome: 'its answer' } as const;
      await place.store.commit((await first).lease, { nonce: crypto.randomUUID() }, end);
      const replayed = await repeat;
      assert.ok(replayed.kind === 'replayed');
      assert.equal(replayed.outcome, 'its answer');
      assert.deepEqual(told, []);
    });

    context.case('an interrupter with a key is interrupted by one with another', async () => {
      const place = await context.place();
      await place.store.create('s');
      const { lease } = await context.beginByHand(place.store, 's');
      const told: string[] = [];
      const onLost = ({ code }: HoldfastError) => void told.push(code);
      const asking = (key: string) =>
        context.beginByHand(place.store, 's', {
          ...{ onBusy: 'interrupt', waitMs: interruptGraceMs * 5, onLost },
          idempotency: { key, requestDigest: '' },
        });
      const first = asking('one');
      await waiters(place, 1);
      const second = asking('other');
      await waiters(place, 2);
      await place.store.release(lease);
      const { lease: interrupted } = await first;
      await context.until(() => told.length > 0);
      assert.deepEqual(told, ['TURN_INTERRUPTED']);
      await place.store.release(interrupted);
      assert.ok((await second).lease.fence > interrupted.fence);
    });

    context.case('the grace of an interrupted holder does not depend on its lease', async () => {
      const place = await context.place();
      await place.store.create('s');
      const { lease } = await context.beginByHand(place.store, 's', {
        leaseMs: context.unitMs * 2,
      });
      const interrupter = context.beginByHand(place.store, 's', {
        onBusy: 'interrupt',
        waitMs: interruptGraceMs * 5,
      });
      await waiters(place, 1);
      await context.clock.advance(interruptGraceMs / 2);
      const end = { keep: false, outcome: undefined } as const;
      const commit = await place.store.commit(lease, { nonce: crypto.randomUUID() }, end);
      assert.equal(commit.lease, null);
      assert.ok((await interrupter).lease.fence > lease.fence);
    });

    context.case(
      'an interrupter that asks later still goes before those who only wait',
      async () => {
        const place = await context.place();
        await place.store.create('s');
        await context.beginByHand(place.store, 's');
        const order: string[] = [];
        const turn = (name: string, onBusy: 'wait' | 'interrupt') =>
          place.sessions.turn('s', { onBusy }, async () => order.push(name));
        const waiting = [turn('first waiter', 'wait')];
        await waiters(place, 1);
        waiting.push(turn('second waiter', 'wait'));
        await waiters(place, 2);
        waiting.push(turn('interrupter', 'interrupt'));
        await waiters(place, 3);
        await context.until(() => order.length === 3);
        await Promise.all(waiting);
        assert.deepEqual(order, ['interrupter', 'first waiter', 'second waiter']);
      },
    );
  });
}
