import { expect, it } from 'vitest';
import { InMemorySessionStore } from '../memory/in-memory-session-store.ts';
import { SessionManager } from './session-manager.ts';

async function started() {
  const sessions = new SessionManager({ store: new InMemorySessionStore({}) });
  await sessions.getOrCreate({ sessionId: 's' });
  return sessions;
}

it('shows its readers that it runs before its work has the processor', async () => {
  await using sessions = await started();
  const seen: string[] = [];
  const { events, result } = sessions.startTurn('s', async () => {
    seen.push('work');
  });
  for await (const { type } of events) seen.push(type);
  expect(seen).toEqual(['turn.started', 'work', 'turn.completed']);
  await result;
});

it('does not begin its work when it was given up meanwhile', async () => {
  await using sessions = await started();
  const giveUp = new AbortController();
  let worked = false;
  const { events, result } = sessions.startTurn('s', { signal: giveUp.signal }, async () => {
    worked = true;
  });
  const types: string[] = [];
  for await (const { type } of events) {
    types.push(type);
    giveUp.abort(new Error('Given up.'));
  }
  await expect(result).rejects.toThrow('Given up.');
  expect([worked, types]).toEqual([false, ['turn.started', 'turn.failed']]);
});

it('lets its work end well when it was interrupted meanwhile', async () => {
  await using sessions = await started();
  const { events, result } = sessions.startTurn('s', async (turn) => {
    turn.append({ role: 'user', content: 'first' });
  });
  let second: Promise<void> | undefined;
  for await (const _ of events) {
    second ??= sessions.turn('s', { onBusy: 'interrupt' }, async (turn) => {
      turn.append({ role: 'user', content: 'second' });
    });
  }
  await Promise.all([result, second]);
  const messages = await sessions.store.messages('s');
  expect(messages.map(({ content }) => content)).toEqual(['first', 'second']);
});
