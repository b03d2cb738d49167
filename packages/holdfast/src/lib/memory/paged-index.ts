/** An item's place in an index; kept by the item so that it can leave in O(1). */
export interface IndexEntry<Item> {
  readonly ordinal: number;
  item: Item | null;
}

export interface IndexPage<Item> {
  readonly items: readonly Item[];
  /** The ordinal to go on behind; `null` at the end. */
  readonly cursor: number | null;
}

/** Shared by all indexes, so that a cursor stays right when an index empties and begins anew. */
let nextOrdinal = 1;

/**
 * Items in the order in which they were added, read a page at a time from any ordinal on. Adding and
 * removing are amortised O(1), a page costs what it reads: removed entries stay as holes until half
 * of the entries are holes, so a page reads on average at most two entries an item.
 */
export class PagedIndex<Item> {
  #entries: IndexEntry<Item>[] = [];
  #holes = 0;

  get size(): number {
    return this.#entries.length - this.#holes;
  }

  add(item: Item): IndexEntry<Item> {
    const entry = { ordinal: nextOrdinal, item };
    nextOrdinal += 1;
    this.#entries.push(entry);
    return entry;
  }

  remove(entry: IndexEntry<Item>): void {
    if (entry.item === null) return;
    entry.item = null;
    this.#holes += 1;
    if (this.#holes > 16 && this.#holes * 2 > this.#entries.length) {
      this.#entries = this.#entries.filter((kept) => kept.item !== null);
      this.#holes = 0;
    }
  }

  *items(): Generator<Item> {
    for (const { item } of this.#entries) if (item !== null) yield item;
  }

  /**
   * The next items behind `after` for which `wanted` holds. Reads at most `maxReads` entries, so a
   * page may be short, or empty, before the end.
   */
  page(
    after: number,
    limit: number,
    maxReads: number,
    wanted: (item: Item) => boolean,
  ): IndexPage<Item> {
    const items: Item[] = [];
    const entries = this.#entries;
    const start = this.#firstBehind(after);
    const stop = Math.min(entries.length, start + maxReads);
    for (let index = start; index < stop; index += 1) {
      const entry = entries[index];
      if (entry === undefined || entry.item === null || !wanted(entry.item)) continue;
      items.push(entry.item);
      if (items.length === limit) {
        return { items, cursor: index + 1 < entries.length ? entry.ordinal : null };
      }
    }
    return { items, cursor: stop < entries.length ? (entries[stop - 1]?.ordinal ?? after) : null };
  }

  #firstBehind(ordinal: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.ordinal ?? 0) <= ordinal) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
