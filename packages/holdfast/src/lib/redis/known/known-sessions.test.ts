import { expect, it } from 'vitest';
import { noCredentials, type SessionState } from '../../model/session.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { parseHeader } from '../layout/header.ts';
import { Keys } from '../layout/keys.ts';
import { Aging } from './aging.ts';
import { KnownSessions } from './known-sessions.ts';
import { Snapshot } from './snapshot.ts';

const headerOf = (incarnation: string) =>
  parseHeader([incarnation, ...Array.from({ length: 25 }, () => '1')].join(' '));

function setUp({ keepsValues = true } = {}) {
  const clock = new FakeClock();
  const keys = new Keys('', 8);
  const known = new KnownSessions(
    { size: 10, keepsValues },
    (id) => keys.session(id),
    new Aging(clock, 1_000),
  );
  return { clock, known };
}

const snapshotOf = (etag: string) => new Snapshot(etag, {} as SessionState, noCredentials);

it('what is known of a session goes with it, and not with an earlier one of its id', () => {
  const { known } = setUp();
  known.of('s').header = headerOf('i');
  known.ended('s', 'earlier');
  expect(known.peek('s')).toBeDefined();
  known.ended('s', 'i');
  expect(known.peek('s')).toBeUndefined();
  known.of('s').header = headerOf('i');
  known.ended('s', '-');
  expect(known.peek('s')).toBeUndefined();
});

it('what is being read when a session ends may be of that one', () => {
  const { known } = setUp();
  known.of('s');
  known.ended('s', 'i');
  expect(known.peek('s')).toBeUndefined();
});

it('what is known of a session stays while it is asked about', async () => {
  const { clock, known } = setUp();
  for (let n = 0; n < 3; n++) {
    known.of('s').header ??= headerOf('i');
    await clock.advance(900);
  }
  expect(known.peek('s')?.header).not.toBeNull();
  await clock.advance(100);
  expect(known.peek('s')).toBeUndefined();
});

it('values that are not to be kept stay for the turns that need them, and no longer', () => {
  const { known } = setUp({ keepsValues: false });
  known.learn(known.of('s'), snapshotOf('read'));
  expect(known.peek('s')?.snapshot).toBeNull();

  known.turnBegan('s', 'one', snapshotOf('begun'));
  known.turnBegan('s', 'two', snapshotOf('begun'));
  known.learn(known.of('s'), snapshotOf('committed'));
  known.turnEnded('s', 'one');
  known.turnEnded('s', 'one');
  expect(known.peek('s')?.snapshot?.etag).toBe('committed');
  known.turnEnded('s', 'two');
  expect(known.peek('s')?.snapshot).toBeNull();
});

it('values that are kept outlast the turns', () => {
  const { known } = setUp();
  known.learn(known.of('s'), snapshotOf('read'));
  known.turnBegan('s', 'one', snapshotOf('read'));
  known.turnEnded('s', 'one');
  expect(known.peek('s')?.snapshot?.etag).toBe('read');
});
