import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { SessionCredentials, SessionState } from '../../model/session.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Aging } from '../known/aging.ts';
import { KnownSessions } from '../known/known-sessions.ts';
import { Snapshot } from '../known/snapshot.ts';
import { parseHeader } from '../layout/header.ts';
import { Keys } from '../layout/keys.ts';
import { BucketNews } from './bucket-news.ts';
import { HistoryTails } from './history-tails.ts';
import { L1Cache } from './l1-cache.ts';
import type { News } from './news.ts';

const size = 1_000;
const ids = 10_000_000;
const bound = 32 * 1024 * 1024;

function heapUsed(): number {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

it(`memory is bounded: ${ids.toLocaleString('en')} distinct ids later, so many as the size are kept`, () => {
  const bucket = new BucketNews('n:{0}');
  bucket.listening = 'yes';
  const asked = bucket.asked(0);
  const keys = new Keys('', 256).session('one for all, which is quicker');
  const limits = { size, ttlMs: 60_000, stalenessMs: 250 };
  const clock = new FakeClock();
  const aging = new Aging(clock, limits.ttlMs);
  const known = new KnownSessions({ size, keepsValues: true }, () => keys, aging);
  const l1 = new L1Cache(limits, {} as News, clock, aging, () => {
    throw new Error('Nobody reads.');
  });
  const tails = new HistoryTails(size, 1_000, aging);
  const state: SessionState = {
    ...{ userId: null, threadId: 't', status: 'active', escalated: false, metadata: {} },
  };
  const credentials = {} as SessionCredentials;
  const words = Array.from({ length: 26 }, () => '1');
  const header = parseHeader(words.join(' '));
  const counters = new Map();
  const message = { id: 'm', seq: 1, role: 'user', content: 'Hello', createdAt: 0 } as const;
  const before = heapUsed();
  for (let n = 0; n < ids; n += 1) {
    const id = `session-${n}`;
    // What a process notes of each session that it reads.
    const snapshot = new Snapshot('etag', state, credentials);
    Object.assign(known.of(id), { header, snapshot });
    l1.keep(id, { header, counters, snapshot }, bucket, n);
    tails.keep(id, 'i', asked, [message]);
  }
  expect(l1.size).toBe(size);
  expect(tails.size).toBe(size);
  expect(known.size).toBe(size);
  expect(heapUsed() - before).toBeLessThan(bound);
}, 600_000);
