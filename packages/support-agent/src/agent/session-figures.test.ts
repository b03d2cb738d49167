import { createTestSessions, FakeClock, Faults } from 'holdfast/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { SessionFigures } from './session-figures.ts';

let clock: FakeClock;
let faults: Faults;
let figures: SessionFigures;
let calls: number;
/** What each call takes. */
let tookMs: number;
let create: () => Promise<void>;
const sessions = () => figures.current().then((stats) => stats?.activeSessions);

beforeEach(() => {
  clock = new FakeClock();
  faults = new Faults();
  const manager = createTestSessions({ clock, faults });
  onTestFinished(() => manager.close());
  const { store } = manager;
  const getStats = store.getStats.bind(store);
  calls = 0;
  tookMs = 0;
  store.getStats = async () => {
    calls += 1;
    if (tookMs > 0) await new Promise<void>((resolve) => clock.setTimer(tookMs, resolve));
    return getStats();
  };
  create = async () => {
    await manager.create();
  };
  figures = new SessionFigures(store, clock);
});

describe('SessionFigures', () => {
  it('are fresh for each message where they cost nothing', async () => {
    expect(await sessions()).toBe(0);
    await create();
    expect(await sessions()).toBe(1);
  });

  it('take two hundredths of the time at most', async () => {
    tookMs = 10;
    const first = Promise.all([sessions(), sessions(), sessions()]);
    await clock.advance(10);
    expect([await first, calls]).toEqual([[0, 0, 0], 1]);
    await create();
    await clock.advance(489);
    expect([await sessions(), calls]).toEqual([0, 1]);
    await clock.advance(1);
    const second = sessions();
    await clock.advance(10);
    expect([await second, calls]).toEqual([1, 2]);
  });

  it('hold no answer up for longer than a second', async () => {
    tookMs = 5_000;
    const late = sessions();
    await clock.advance(1_000);
    expect(await late).toBeUndefined();
    const stillLate = sessions();
    await clock.advance(1_000);
    expect([await stillLate, calls]).toEqual([undefined, 1]);
    await clock.advance(3_000);
    expect([await sessions(), calls]).toEqual([0, 1]);
  });

  it('are none when the store fails, and asked for again', async () => {
    faults.fail('getStats');
    expect(await sessions()).toBeUndefined();
    expect(await sessions()).toBe(0);
  });
});
