import { describe, expect, it } from 'vitest';
import { type Message, placeMessage, prepareMessage } from '../../model/message.ts';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Aging } from '../known/aging.ts';
import { BucketNews } from './bucket-news.ts';
import { HistoryTails } from './history-tails.ts';

function messages(from: number, to: number, text = 'text'): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) =>
    placeMessage(prepareMessage({ role: 'user', content: text }), from + index, 0),
  );
}

function setUp({ size = 10, maxMessages = 1_000 } = {}) {
  const bucket = new BucketNews('n:{0}');
  bucket.listening = 'yes';
  const tails = new HistoryTails(size, maxMessages, new Aging(new FakeClock(), 60_000));
  const keep = (from: number, to: number, { id = 's', text = 'text', incarnation = 'i' } = {}) =>
    tails.keep(id, incarnation, bucket.asked(0), messages(from, to, text));
  const page = (limit: number, before: number, { id = 's', incarnation = 'i' } = {}) =>
    tails.page(id, { incarnation, limit, before })?.map(({ seq }) => seq);
  return { bucket, tails, keep, page };
}

describe('the tail of a history', () => {
  it('has a page that is whole in it, and no other', () => {
    const { keep, page } = setUp();
    keep(11, 15);
    expect(page(3, 16)).toEqual([13, 14, 15]);
    expect(page(3, 15)).toEqual([12, 13, 14]);
    expect(page(0, 16)).toEqual([]);
    expect(page(6, 16)).toBeUndefined();
    expect(page(Infinity, 16)).toBeUndefined();
    // There are newer ones, which are not here.
    expect(page(3, 17)).toBeUndefined();
    expect(page(3, 16, { incarnation: 'another' })).toBeUndefined();
    expect(page(3, 16, { id: 'another' })).toBeUndefined();
  });

  it('has all where it begins with the first', () => {
    const { keep, page } = setUp();
    keep(1, 3);
    expect(page(Infinity, 4)).toEqual([1, 2, 3]);
    expect(page(20, 4)).toEqual([1, 2, 3]);
  });

  it('goes on with what follows it, and begins anew behind a gap', () => {
    const { keep, page } = setUp();
    keep(1, 3);
    keep(4, 5);
    expect(page(Infinity, 6)).toEqual([1, 2, 3, 4, 5]);
    keep(8, 9);
    expect(page(2, 10)).toEqual([8, 9]);
    expect(page(3, 10)).toBeUndefined();
    keep(10, 10, { incarnation: 'another' });
    expect(page(2, 10)).toBeUndefined();
    expect(page(1, 11, { incarnation: 'another' })).toEqual([10]);
  });

  it('is bounded in messages, in bytes and in sessions', () => {
    const { keep, page, tails } = setUp({ size: 2 });
    keep(1, 60);
    expect(page(50, 61)).toHaveLength(50);
    expect(page(51, 61)).toBeUndefined();
    keep(61, 63, { text: 'x'.repeat(30_000) });
    expect(page(2, 64)).toEqual([62, 63]);
    expect(page(3, 64)).toBeUndefined();
    keep(64, 64, { text: 'x'.repeat(70_000) });
    expect(page(1, 65)).toBeUndefined();
    for (const id of ['a', 'b', 'c']) keep(1, 1, { id });
    expect([page(1, 2, { id: 'a' }), page(1, 2, { id: 'c' })]).toEqual([undefined, [1]]);
    tails.drop('c');
    expect(page(1, 2, { id: 'c' })).toBeUndefined();
  });

  it('goes with its session, and not with an earlier one of its id', () => {
    const { keep, page, tails } = setUp();
    keep(1, 1);
    tails.ended('s', 'earlier');
    expect(page(1, 2)).toEqual([1]);
    tails.ended('s', 'i');
    expect(page(1, 2)).toBeUndefined();
    keep(1, 1);
    tails.ended('s', '-');
    expect(page(1, 2)).toBeUndefined();
  });

  it('has no more than the session keeps', () => {
    const { keep, page } = setUp({ maxMessages: 3 });
    keep(1, 5);
    expect(page(Infinity, 6)).toEqual([3, 4, 5]);
  });

  it('is worth nothing once changes may have been missed', () => {
    const { bucket, keep, page, tails } = setUp();
    keep(1, 3);
    const asked = bucket.asked(0);
    bucket.missed();
    expect(page(1, 4)).toBeUndefined();
    tails.keep('s', 'i', asked, messages(1, 3));
    expect(page(1, 4)).toBeUndefined();
    keep(1, 3);
    expect(page(1, 4)).toEqual([3]);
    bucket.listening = 'no';
    keep(4, 4);
    expect(page(1, 5)).toBeUndefined();
    expect([tails.hits, tails.misses]).toEqual([1, 3]);
  });
});
