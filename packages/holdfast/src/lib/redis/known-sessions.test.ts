import { expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { Aging } from './aging.ts';
import { parseHeader } from './header.ts';
import { Keys } from './keys.ts';
import { KnownSessions } from './known-sessions.ts';

const headerOf = (incarnation: string) =>
  parseHeader([incarnation, ...Array.from({ length: 25 }, () => '1')].join(' '));

function setUp() {
  const clock = new FakeClock();
  const keys = new Keys('', 8);
  const known = new KnownSessions(10, (id) => keys.session(id), new Aging(clock, 1_000));
  return { clock, known };
}

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
