import { expect, it } from 'vitest';
import { StoreUnavailableError } from '../errors/errors.ts';
import { InMemorySessionStore } from '../memory/in-memory-session-store.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { SessionManager } from './session-manager.ts';

/** A store that is away from its first commit on until `isBack`: the commit waits, and a release fails. */
class FailingStore extends InMemorySessionStore {
  fail = () => {};
  isBack = false;

  override async commit(...args: Parameters<InMemorySessionStore['commit']>) {
    if (this.isBack) return super.commit(...args);
    return new Promise<never>((_, reject) => {
      this.fail = () => {
        this.isBack = true;
        reject(new StoreUnavailableError('The store is away.'));
      };
    });
  }

  override async release(): Promise<boolean> {
    throw new StoreUnavailableError('The store is away.');
  }
}

it('stores nothing behind a checkpoint that failed', async () => {
  const clock = new FakeClock();
  const store = new FailingStore({ clock });
  const sessions = new SessionManager({ store, clock });
  await store.create('s');
  const turn = sessions.turn('s', async (turn) => {
    turn.append({ role: 'user', content: 'first' });
    const first = turn.checkpoint();
    first.catch(() => {});
    await clock.advance(1); // it is under way
    turn.append({ role: 'user', content: 'second' });
    const second = turn.checkpoint();
    store.fail();
    await Promise.allSettled([first, second]);
  });
  await expect(turn).rejects.toThrow(StoreUnavailableError);
  await clock.advance(1);
  expect(await store.messages('s')).toEqual([]);
});
