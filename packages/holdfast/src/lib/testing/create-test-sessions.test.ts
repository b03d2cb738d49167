import { describe, expect, it, vi } from 'vitest';
import {
  LeaseLostError,
  OutcomeUnknownError,
  StoreUnavailableError,
  ValidationError,
} from '../errors/errors.ts';
import { createTestSessions } from './create-test-sessions.ts';
import { FakeClock } from './fake-clock.ts';
import { Faults } from './faults.ts';

const leaseMs = 3_000;

async function setUp() {
  const clock = new FakeClock();
  const faults = new Faults();
  const logged: string[] = [];
  const log = (_: object, message: string) => logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };
  const sessions = createTestSessions({ clock, faults, leaseMs, logger });
  await sessions.store.create('s');
  return { clock, faults, sessions, logged };
}

describe('a failing store', () => {
  it('fails a turn that cannot begin', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('begin');
    await expect(sessions.turn('s', async () => 1)).rejects.toThrow(StoreUnavailableError);
    expect(await sessions.turn('s', async () => 1)).toBe(1);
  });

  it('fails as often as is planned, and not at all where that is 0', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('get', { times: 0 });
    faults.fail('get', { times: 2 });
    const outcomes = [];
    for (let n = 0; n < 3; n++) {
      outcomes.push(await sessions.store.get('s').then(Boolean, (error: Error) => error.name));
    }
    expect(outcomes).toEqual(['StoreUnavailableError', 'StoreUnavailableError', true]);
  });

  it('never gives a fresh session in place of one that it could not read', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('getWithCredentials');
    await expect(sessions.getOrCreate({ sessionId: 's' })).rejects.toThrow(StoreUnavailableError);
  });

  it('a commit that failed wrote nothing, and the turn can be run again', async () => {
    const { faults, sessions } = await setUp();
    const ask = () =>
      sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
        turn.increment('n');
        return turn.attempt;
      });
    faults.fail('commit');
    await expect(ask()).rejects.toThrow(StoreUnavailableError);
    expect((await sessions.store.get('s'))?.version).toBe(1);
    expect(await ask()).toBe(1);
    expect((await sessions.store.get('s'))?.counters).toEqual({ n: 1 });
  });

  it('a commit whose reply was lost is an unknown outcome, which the key makes safe to repeat', async () => {
    const { faults, sessions } = await setUp();
    const ask = () =>
      sessions.turn('s', { idempotencyKey: 'k' }, async (turn) => {
        turn.increment('n');
        return 'answer';
      });
    faults.fail('commit', { when: 'after', times: 2 });
    await expect(ask()).rejects.toThrow(OutcomeUnknownError);
    expect(await ask()).toBe('answer');
    expect((await sessions.store.get('s'))?.counters).toEqual({ n: 1 });
  });

  it('repeats a begin and a commit whose reply was lost, once each, and they take effect once', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('begin', { when: 'after' });
    faults.fail('commit', { when: 'after' });
    const counted = await sessions.turn('s', async (turn) => turn.increment('n'));
    expect(counted).toBe(1);
    expect((await sessions.store.get('s'))?.version).toBe(2);
    expect((await sessions.store.getStats()).activeLeases).toBe(0);
  });

  it('a commit whose reply was lost stays an unknown outcome when its repeat finds no store', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('commit', { when: 'after' });
    faults.fail('commit', { when: 'before' });
    const counted = sessions.turn('s', async (turn) => turn.increment('n'));
    await expect(counted).rejects.toThrow(OutcomeUnknownError);
    expect((await sessions.store.get('s'))?.counters).toEqual({ n: 1 });
  });

  it('a commit whose repeat learns the outcome fails with what it learned', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('commit', { when: 'after' });
    faults.fail('commit', { error: new LeaseLostError('Another turn has the session.') });
    await expect(sessions.turn('s', async () => {})).rejects.toThrow(LeaseLostError);
  });

  it('live output of a checkpoint that may be there is not written again with the turn’s end', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('commit', { when: 'after' });
    faults.fail('commit', { when: 'before' });
    const { events, result } = sessions.startTurn('s', async (turn) => {
      turn.emit({ type: 'text', text: 'a' });
      await turn.checkpoint();
    });
    const failed = expect(result).rejects.toThrow(OutcomeUnknownError);
    const seen: unknown[] = [];
    for await (const { type, text } of events) seen.push(text ?? type);
    expect(seen).toEqual(['turn.started', 'a', 'turn.failed']);
    await failed;
  });

  it('a lease that a begin may have taken is given back, whatever its repeat ends in', async () => {
    const { faults, sessions } = await setUp();
    const repeats = [new StoreUnavailableError('No way to it.'), new Error('Given up.')];
    for (const error of repeats) {
      faults.fail('begin', { when: 'after' });
      faults.fail('begin', { error });
      await expect(sessions.turn('s', async () => {})).rejects.toThrow(
        error instanceof StoreUnavailableError ? OutcomeUnknownError : error,
      );
      await vi.waitFor(async () => {
        expect((await sessions.store.getStats()).activeLeases).toBe(0);
      });
    }
  });

  it('an unknown outcome has the nonce that makes the call safe to repeat', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('incrementCounter', { when: 'after' });
    const error = await sessions.store.incrementCounter('s', 'n', 2).catch((caught) => caught);
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    const { nonce } = error as OutcomeUnknownError;
    expect(await sessions.store.incrementCounter('s', 'n', 2, { nonce })).toBe(2);
    expect((await sessions.store.get('s'))?.counters).toEqual({ n: 2 });
  });

  it('a failed checkpoint ends the turn', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('commit');
    let caught: unknown;
    const turn = sessions.turn('s', async (turn) => {
      turn.append({ role: 'user', content: 'x' });
      caught = await turn.checkpoint().catch((error: unknown) => error);
      expect(turn.signal.aborted).toBe(true);
      return 'went on all the same';
    });
    await expect(turn).rejects.toThrow(StoreUnavailableError);
    expect(caught).toBeInstanceOf(StoreUnavailableError);
    expect(await sessions.store.messages('s')).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'live output that fails %s its write is sent again, and there once',
    async (when) => {
      const { clock, faults, sessions } = await setUp();
      faults.fail('emit', { when });
      const { events, result } = sessions.startTurn('s', async (turn) => {
        for (const text of ['a', 'b']) {
          turn.emit({ type: 'text', text });
          await clock.advance(1);
        }
        return 'answered';
      });
      const seen: unknown[] = [];
      for await (const { type, text } of events) seen.push(text ?? type);
      expect(seen).toEqual(['turn.started', 'a', 'b', 'turn.completed']);
      expect(await result).toBe('answered');
    },
  );

  it('a turn whose output was never written fails its readers too', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('emit', { times: 10 });
    faults.fail('release');
    const { events, result } = sessions.startTurn('s', async () => {
      throw new RangeError('the work');
    });
    const reading = (async () => {
      for await (const _ of events) throw new TypeError('there is none');
    })();
    await expect(reading).rejects.toThrow(new RangeError('the work'));
    await expect(result).rejects.toThrow(new RangeError('the work'));
  });

  it('a renewal that fails for a while loses nothing', async () => {
    const { clock, faults, sessions, logged } = await setUp();
    faults.fail('renew', { times: 2 });
    let end: () => void = () => {};
    const turn = sessions.turn('s', async (turn) => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      turn.increment('n');
    });
    await clock.advance(leaseMs * 3);
    end();
    await turn;
    expect((await sessions.store.get('s'))?.counters).toEqual({ n: 1 });
    expect(logged.filter((line) => line === 'Failed to renew a lease')).toHaveLength(2);
  });

  it('a renewal that fails for good stops the turn before its lease can have ended', async () => {
    const { clock, faults, sessions } = await setUp();
    faults.fail('renew', { times: 1_000 });
    const began = clock.now();
    let stoppedAt = 0;
    const turn = sessions.turn('s', async (turn) => {
      turn.signal.addEventListener('abort', () => {
        stoppedAt = clock.now();
      });
      await new Promise(() => {});
    });
    turn.catch(() => {});
    await clock.advance(leaseMs * 2);
    await expect(turn).rejects.toThrow(LeaseLostError);
    expect(stoppedAt - began).toBeLessThan(leaseMs);
    expect(stoppedAt - began).toBeGreaterThan(leaseMs / 2);
  });

  it('a lease that cannot be released is logged, and the work’s own error stands', async () => {
    const { faults, sessions, logged } = await setUp();
    faults.fail('release');
    const turn = sessions.turn('s', async () => {
      throw new RangeError('the work');
    });
    await expect(turn).rejects.toThrow(new RangeError('the work'));
    expect(logged).toContain('Failed to release a lease');
  });
});

describe('Faults', () => {
  it('are used up in order, and take the error they are given', async () => {
    const { faults, sessions } = await setUp();
    faults.fail('get', { error: new ValidationError('first') });
    faults.fail('get', { times: 2, when: 'after' });
    await expect(sessions.store.get('s')).rejects.toThrow(/^first/);
    await expect(sessions.store.get('s')).rejects.toThrow(OutcomeUnknownError);
    await expect(sessions.store.get('s')).rejects.toThrow(OutcomeUnknownError);
    expect((await sessions.store.get('s'))?.id).toBe('s');
  });
});

describe('FakeClock', () => {
  it('stands still, and fires timers in their order as it passes them', async () => {
    const clock = new FakeClock(1_000);
    const fired: string[] = [];
    const note = (name: string) => () => fired.push(`${name} at ${clock.now()}`);
    clock.setTimer(20, note('b'));
    clock.setTimer(10, note('a'));
    clock.setTimer(20, note('c'));
    const cancel = clock.setTimer(15, note('never'));
    cancel();
    cancel();
    clock.setTimer(30, () => clock.setTimer(5, note('set by a timer')));
    await clock.advance(9);
    expect(fired).toEqual([]);
    await clock.advance(26);
    expect(fired).toEqual(['a at 1010', 'b at 1020', 'c at 1020', 'set by a timer at 1035']);
    expect(clock.now()).toBe(1_035);
    expect(clock.monotonic()).toBe(35);
    expect(clock.timers).toBe(0);
  });

  it('lets what a timer set off run before the next one fires', async () => {
    const clock = new FakeClock();
    const order: string[] = [];
    clock.setTimer(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => order.push('chain'));
    });
    clock.setTimer(1, () => order.push('second'));
    await clock.advance(1);
    expect(order).toEqual(['chain', 'second']);
  });
});
