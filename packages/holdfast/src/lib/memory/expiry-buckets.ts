/** What expires: the buckets keep `expiryBucket`, its owner keeps `expiresAt`. */
export interface Expiring {
  readonly expiresAt: number;
  /** The bucket that holds it; -1 for none. */
  expiryBucket: number;
}

interface Bucket<Entry> {
  readonly entries: Set<Entry>;
  /** None of them expires before this. */
  earliest: number;
}

/** Long enough that a busy session seldom changes its bucket, short beside any timeout. */
const bucketMs = 1_000;

/**
 * Entries by the second in which they expire (a hashed timing wheel without rounds: Varghese and
 * Lauck, "Hashed and Hierarchical Timing Wheels", 1987, scheme 5). Moving an entry is O(1); taking
 * what is due costs what is taken, whatever else is there.
 */
export class ExpiryBuckets<Entry extends Expiring> {
  readonly #buckets = new Map<number, Bucket<Entry>>();
  /** No bucket before this one has entries. */
  #oldest = 0;

  /** Puts the entry where its `expiresAt` belongs, moving it if it is elsewhere. */
  place(entry: Entry): void {
    const second = Math.floor(entry.expiresAt / bucketMs);
    if (second !== entry.expiryBucket) this.remove(entry);
    let bucket = this.#buckets.get(second);
    if (bucket === undefined) {
      bucket = { entries: new Set(), earliest: entry.expiresAt };
      if (this.#buckets.size === 0 || second < this.#oldest) this.#oldest = second;
      this.#buckets.set(second, bucket);
    }
    if (second !== entry.expiryBucket) bucket.entries.add(entry);
    if (entry.expiresAt < bucket.earliest) bucket.earliest = entry.expiresAt;
    entry.expiryBucket = second;
  }

  remove(entry: Entry): void {
    if (entry.expiryBucket < 0) return;
    const bucket = this.#buckets.get(entry.expiryBucket);
    bucket?.entries.delete(entry);
    if (bucket?.entries.size === 0) this.#buckets.delete(entry.expiryBucket);
    entry.expiryBucket = -1;
  }

  /** At most `limit` entries that have expired at `now`; the caller removes them. */
  due(now: number, limit: number): Entry[] {
    const due: Entry[] = [];
    const current = Math.floor(now / bucketMs);
    if (this.#buckets.size === 0) return due;
    // After a long rest there are fewer buckets than seconds to walk.
    const span = current - this.#oldest;
    const seconds =
      span > this.#buckets.size
        ? [...this.#buckets.keys()].filter((second) => second <= current).sort((a, b) => a - b)
        : range(this.#oldest, current);
    for (const second of seconds) {
      const bucket = this.#buckets.get(second);
      if (bucket === undefined || bucket.earliest > now) continue;
      let earliest = Number.POSITIVE_INFINITY;
      for (const entry of bucket.entries) {
        if (entry.expiresAt > now) {
          earliest = Math.min(earliest, entry.expiresAt);
          continue;
        }
        due.push(entry);
        if (due.length === limit) {
          this.#oldest = second;
          return due;
        }
      }
      bucket.earliest = earliest;
    }
    this.#oldest = Math.max(this.#oldest, current);
    return due;
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let value = from; value <= to; value += 1) yield value;
}
