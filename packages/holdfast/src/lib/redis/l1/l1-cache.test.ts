import { expect, it } from 'vitest';
import type { JsonObject } from '../../json/json-value.ts';
import type { Session } from '../../model/session.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Aging } from '../known/aging.ts';
import { Snapshot, type StoredSnapshot } from '../known/snapshot.ts';
import { parseHeader } from '../layout/header.ts';
import { BucketNews } from './bucket-news.ts';
import { L1Cache } from './l1-cache.ts';
import type { News } from './news.ts';

const limits = { size: 10, ttlMs: 60_000, stalenessMs: 250 };
const far = '9000000000000';

function setUp() {
  const clock = new FakeClock();
  const bucket = new BucketNews('n:{0}');
  bucket.listening = 'yes';
  const news = { want: () => {} } as unknown as News;
  const session = {} as Session;
  const l1 = new L1Cache(limits, news, clock, new Aging(clock, limits.ttlMs), () => session);
  const stored: StoredSnapshot<JsonObject> = {
    header: parseHeader(Array.from({ length: 26 }, (_, at) => (at === 18 ? '1' : far)).join(' ')),
    counters: new Map(),
    snapshot: new Snapshot('etag', {} as never, {} as never),
  };
  bucket.replied(bucket.asked(0), 1, clock.now(), 125);
  bucket.hear(1);
  l1.keep('s', stored, bucket, 1);
  return { clock, bucket, l1, session };
}

it('a session that may be served is kept', async () => {
  const { l1, session } = setUp();
  expect(await l1.get('s')).toBe(session);
  expect(l1.size).toBe(1);
});

it.each([
  ['nobody has confirmed of late', 250, () => {}],
  ['may have changed', 0, (bucket: BucketNews) => bucket.missed()],
] as const)('a session that %s is not kept for another reader', async (_why, ms, happens) => {
  const { clock, bucket, l1 } = setUp();
  await clock.advance(ms);
  happens(bucket);
  expect(l1.get('s')).toBeUndefined();
  expect(l1.size).toBe(0);
});
