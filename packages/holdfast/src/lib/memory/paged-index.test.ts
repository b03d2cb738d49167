import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IndexEntry, PagedIndex } from './paged-index.ts';

const any = () => true;

function indexOf(items: readonly number[]): {
  index: PagedIndex<number>;
  entries: IndexEntry<number>[];
} {
  const index = new PagedIndex<number>();
  return { index, entries: items.map((item) => index.add(item)) };
}

const range = (count: number) => Array.from({ length: count }, (_, item) => item);

/** All pages, one after the other. */
function readAll(
  index: PagedIndex<number>,
  limit: number,
  maxReads = 1_000,
  wanted: (item: number) => boolean = any,
): number[][] {
  const pages: number[][] = [];
  let cursor: number | null = 0;
  while (cursor !== null) {
    const page = index.page(cursor, limit, maxReads, wanted);
    pages.push([...page.items]);
    if (page.cursor !== null) expect(page.cursor).toBeGreaterThan(cursor);
    cursor = page.cursor;
  }
  return pages;
}

describe('PagedIndex', () => {
  it('has one empty page when it is empty', () => {
    expect(new PagedIndex().page(0, 10, 10, any)).toEqual({ items: [], cursor: null });
  });

  it('reads pages in the order of adding', () => {
    expect(readAll(indexOf(range(5)).index, 2)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('says on the last full page that it is the last', () => {
    expect(readAll(indexOf(range(4)).index, 2)).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('leaves out what was removed, and counts without it', () => {
    const { index, entries } = indexOf(range(5));
    for (const place of [0, 2, 4]) index.remove(entries[place] as IndexEntry<number>);
    expect(index.size).toBe(2);
    expect([...index.items()]).toEqual([1, 3]);
    expect(readAll(index, 10)).toEqual([[1, 3]]);
  });

  it('removes an entry once, however often it is asked', () => {
    const { index, entries } = indexOf([1, 2]);
    const [first] = entries as [IndexEntry<number>];
    index.remove(first);
    index.remove(first);
    expect(index.size).toBe(1);
  });

  it('goes on behind a cursor whose entry is gone', () => {
    const { index, entries } = indexOf(range(6));
    const { cursor } = index.page(0, 2, 10, any);
    for (const place of [0, 1, 2]) index.remove(entries[place] as IndexEntry<number>);
    expect(index.page(cursor ?? 0, 2, 10, any).items).toEqual([3, 4]);
  });

  it('goes on behind a cursor after its holes were closed', () => {
    const { index, entries } = indexOf(range(100));
    const { cursor } = index.page(0, 50, 1_000, any);
    for (const entry of entries.slice(0, 90)) index.remove(entry);
    expect(index.page(cursor ?? 0, 50, 1_000, any)).toEqual({
      items: range(100).slice(90),
      cursor: null,
    });
  });

  it('shows a reader of pages what was added meanwhile, and nothing twice', () => {
    const { index, entries } = indexOf(range(20));
    const first = index.page(0, 10, 1_000, any);
    for (const entry of entries) index.remove(entry);
    index.add(20);
    expect(index.page(first.cursor ?? 0, 10, 1_000, any)).toEqual({ items: [20], cursor: null });
  });

  it('reads no more entries than it may, and goes on from there', () => {
    let reads = 0;
    const wanted = (item: number) => {
      reads += 1;
      return item === 99;
    };
    const { index } = indexOf(range(100));
    const page = index.page(0, 1, 30, wanted);
    expect([page.items, reads]).toEqual([[], 30]);
    expect(readAll(index, 1, 30, wanted).flat()).toEqual([99]);
  });

  it('reads at most two entries an item, whatever was removed', () => {
    const { index, entries } = indexOf(range(10_000));
    for (const entry of entries) if (entry.ordinal % 100 !== 0) index.remove(entry);
    let pages = 0;
    for (let cursor: number | null = 0; cursor !== null; pages += 1) {
      cursor = index.page(cursor, 10_000, 50, any).cursor;
    }
    expect(index.size).toBe(100);
    expect(pages).toBeLessThanOrEqual(4);
  });

  it('may lose items while they are read', () => {
    const { index, entries } = indexOf(range(40));
    const seen: number[] = [];
    for (const item of index.items()) {
      seen.push(item);
      index.remove(entries[item] as IndexEntry<number>);
    }
    expect(seen).toEqual(range(40));
    expect(index.size).toBe(0);
  });

  it('behaves as an array does', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ what: fc.constant('add'), at: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.record({ what: fc.constant('remove'), at: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('page'), at: fc.nat(5) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { size: 'large', maxLength: 300 }), (steps) => {
        const index = new PagedIndex<number>();
        const model: IndexEntry<number>[] = [];
        let cursor = 0;
        for (const { what, at } of steps) {
          if (what === 'add') model.push(index.add(at));
          else if (what === 'remove' && model.length > 0) {
            const [removed] = model.splice(at % model.length, 1);
            if (removed !== undefined) index.remove(removed);
          } else if (what === 'page') {
            const behind = model.filter(({ ordinal }) => ordinal > cursor);
            const page = index.page(cursor, at + 1, 10_000, (item) => item % 2 === 0);
            const wanted = behind.filter(({ item }) => Number(item) % 2 === 0).slice(0, at + 1);
            expect(page.items).toEqual(wanted.map(({ item }) => item));
            if (page.cursor === null) {
              // The end: nothing that is wanted is left behind it.
              const last = wanted.at(-1)?.ordinal ?? cursor;
              const rest = behind.filter(({ ordinal }) => ordinal > last);
              expect(rest.filter(({ item }) => Number(item) % 2 === 0)).toEqual([]);
            }
            cursor = page.cursor ?? 0;
          }
          expect(index.size).toBe(model.length);
        }
        expect([...index.items()]).toEqual(model.map(({ item }) => item));
      }),
    );
  });
});
