import { setImmediate as nextTick } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTestSessions } from '../testing/create-test-sessions.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import type { TurnEnded } from './turn-course.ts';

async function setUp() {
  const clock = new FakeClock();
  const sessions = createTestSessions({ clock });
  const ended: TurnEnded[] = [];
  sessions.on('turnEnded', (event) => {
    ended.push(event);
  });
  await sessions.create({ sessionId: 's' });
  const last = async () => {
    await nextTick();
    return ended.at(-1);
  };
  return { clock, sessions, ended, last };
}

describe('a turn that has ended', () => {
  it('tells how long it waited and worked, and under which request', async () => {
    const { clock, sessions, last } = await setUp();
    const first = sessions.turn('s', () => clock.advance(30));
    const second = sessions.turn('s', { requestId: 'request-2' }, async (turn) => {
      await clock.advance(5);
      await turn.checkpoint();
      await clock.advance(7);
    });
    await Promise.all([first, second]);
    expect(await last()).toEqual({
      sessionId: 's',
      turnId: expect.stringMatching(/./),
      requestId: 'request-2',
      outcome: 'committed',
      code: null,
      attempt: 1,
      waitMs: 30,
      workMs: 12,
      commitMs: 0,
      checkpoints: 1,
    });
  });

  it('was a repeat, or failed, or was refused', async () => {
    const { sessions, ended, last } = await setUp();
    await sessions.turn('s', { idempotencyKey: 'k' }, () => 1);
    await sessions.turn('s', { idempotencyKey: 'k' }, () => 1);
    expect(await last()).toMatchObject({ outcome: 'replayed', code: null, attempt: 0 });
    await expect(sessions.turn('s', () => Promise.reject(new Error('mine')))).rejects.toThrow();
    expect(await last()).toMatchObject({ outcome: 'failed', code: 'WORK_FAILED', attempt: 1 });
    await expect(sessions.turn('none', () => 1)).rejects.toThrow();
    expect(await last()).toMatchObject({
      sessionId: 'none',
      turnId: null,
      outcome: 'refused',
      code: 'SESSION_NOT_FOUND',
      workMs: 0,
    });
    expect(ended).toHaveLength(4);
  });

  it('is not one that was called wrongly', async () => {
    const { sessions, ended, last } = await setUp();
    await expect(sessions.turn('no id', () => 1)).rejects.toThrow('session id');
    await expect(sessions.turn('s', { requestId: 'x'.repeat(256) }, () => 1)).rejects.toThrow(
      'requestId must be a string of at most 255 characters',
    );
    expect(await last()).toBeUndefined();
    expect(ended).toEqual([]);
  });
});
