/** What expires: the buckets keep `expiryBucket`, its owner keeps `expiresAt`. */
export interface Expiring {
  readonly expiresAt: number;
  /** The bucket that holds it; -1 for none. */
  expiryBucket: number;
}

/** Long enough that a busy session seldom changes its bucket, short beside any timeout. */
const bucketMs = 1_000;

/**
 * Entries by the second in which they expire (a hashed timing wheel without rounds: Varghese and
 * Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 5). Moving an entry is O(1); taking
 * what is due costs what is taken, whatever else is there.
 */
export class ExpiryBuckets<Entry extends Expiring> {
  readonly #buckets = new Map<number, Set<Entry>>();
  /** No bucket before this one has entries. */
  #oldest = 0;

  /** Puts the entry where its `expiresAt` belongs, moving it if it is elsewhere. */
  place(entry: Entry): void {
    const bucket = Math.floor(entry.expiresAt / bucketMs);
    if (bucket === entry.expiryBucket) return;
    this.remove(entry);
    let entries = this.#buckets.get(bucket);
    if (entries === undefined) {
      entries = new Set();
      if (this.#buckets.size === 0 || bucket < this.#oldest) this.#oldest = bucket;
      this.#buckets.set(bucket, entries);
    }
    entries.add(entry);
    entry.expiryBucket = bucket;
  }

  remove(entry: Entry): void {
    if (entry.expiryBucket < 0) return;
    const entries = this.#buckets.get(entry.expiryBucket);
    entries?.delete(entry);
    if (entries?.size === 0) this.#buckets.delete(entry.expiryBucket);
    entry.expiryBucket = -1;
  }

  /** At most `limit` entries that have expired at `now`; the caller removes them. */
  due(now: number, limit: number): Entry[] {
    const due: Entry[] = [];
    const current = Math.floor(now / bucketMs);
    if (this.#buckets.size === 0) return due;
    // After a long rest there are fewer buckets than seconds to walk.
    const span = current - this.#oldest;
    const buckets =
      span > this.#buckets.size
        ? [...this.#buckets.keys()].filter((bucket) => bucket <= current).sort((a, b) => a - b)
        : range(this.#oldest, current);
    for (const bucket of buckets) {
      for (const entry of this.#buckets.get(bucket) ?? []) {
        if (entry.expiresAt > now) continue;
        due.push(entry);
        if (due.length === limit) {
          this.#oldest = bucket;
          return due;
        }
      }
    }
    this.#oldest = Math.max(this.#oldest, current);
    return due;
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let value = from; value <= to; value += 1) yield value;
}
