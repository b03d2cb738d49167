import type { Clock } from '../../clock.ts';
import type { Session } from '../../model/session.ts';
import { type Aging, AgingCache } from '../known/aging.ts';
import type { StoredSnapshot } from '../known/snapshot.ts';
import type { BucketNews } from './bucket-news.ts';
import type { News } from './news.ts';

export interface L1Options {
  /** The most sessions that are kept. */
  readonly size: number;
  /** How long a session is kept that nobody changes, in ms. */
  readonly ttlMs: number;
  /** How far behind the server it may be, in ms. */
  readonly stalenessMs: number;
}

interface Kept<Metadata extends object> {
  /** `null` before it was first asked for, and where each reader gets metadata of its own. */
  answer: Promise<Session<Metadata>> | null;
  readonly stored: StoredSnapshot<Metadata>;
  readonly bucket: BucketNews;
  readonly epoch: number;
  /** Number of the newest change that it has. */
  readonly count: number;
  /** By the server's clock. */
  readonly expiresAt: number;
  /** By the monotonic clock. */
  readonly keptUntil: number;
}

/** How much two clocks may drift apart in the time for which one reading of the other is used. */
const drift = 1.001;
/** The server's clock is told in whole milliseconds. */
const resolutionMs = 1;

/**
 * Sessions as they were read, decoded and frozen, for `get` without a round trip. One is served while
 * the server has confirmed, less than the staleness ago, that every change of its bucket was heard,
 * and while by the latest that the server's clock can be, the session has not expired.
 *
 * Turns, authentication and `fresh` reads do not look here.
 */
export class L1Cache<Metadata extends object> {
  hits = 0;
  misses = 0;
  /** Sessions that were dropped because they had changed. */
  invalidations = 0;
  readonly #kept: AgingCache<Kept<Metadata>>;
  readonly #news: News;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #stalenessMs: number;
  readonly #view: (id: string, stored: StoredSnapshot<Metadata>) => Session<Metadata>;

  constructor(
    { size, ttlMs, stalenessMs }: L1Options,
    news: News,
    clock: Clock,
    aging: Aging,
    view: (id: string, stored: StoredSnapshot<Metadata>) => Session<Metadata>,
  ) {
    this.#kept = new AgingCache(size, aging);
    this.#news = news;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#stalenessMs = stalenessMs;
    this.#view = view;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Not there is `undefined` at once: a hit makes no promise, and waits for none. */
  get(id: string): Promise<Session<Metadata>> | undefined {
    const kept = this.#kept.get(id);
    if (kept === undefined) {
      this.misses += 1;
      return undefined;
    }
    const { bucket } = kept;
    const now = this.#clock.monotonic();
    const age = now - bucket.confirmedAt;
    const isGood =
      age < this.#stalenessMs &&
      kept.epoch === bucket.epoch &&
      bucket.serverNow + resolutionMs + age * drift < kept.expiresAt &&
      now < kept.keptUntil;
    if (!bucket.wanted) this.#news.want(bucket);
    if (!isGood) {
      this.#kept.delete(id);
      this.misses += 1;
      return undefined;
    }
    this.hits += 1;
    return kept.answer ?? this.#answer(id, kept);
  }

  /** What was read as of the change `count` of its bucket, all later ones of which are heard. */
  keep(id: string, stored: StoredSnapshot<Metadata>, bucket: BucketNews, count: number): void {
    const { idleExpiresAt, absoluteExpiresAt, leaseUntil } = stored.header;
    const before = this.#kept.peek(id);
    if (before !== undefined && before.epoch === bucket.epoch && before.count > count) return;
    // What only a lease keeps alive ends when that is given up, without a change.
    if (leaseUntil > idleExpiresAt) {
      this.#kept.delete(id);
      return;
    }
    this.#kept.set(id, {
      answer: null,
      stored,
      bucket,
      epoch: bucket.epoch,
      count,
      expiresAt: Math.min(idleExpiresAt, absoluteExpiresAt),
      keptUntil: this.#clock.monotonic() + this.#ttlMs,
    });
  }

  /** Not before somebody reads it: metadata that the schema refuses fails no write and no turn. */
  async #answer(id: string, kept: Kept<Metadata>): Promise<Session<Metadata>> {
    const session = this.#view(id, kept.stored);
    if (kept.stored.snapshot.isShareable) kept.answer = Promise.resolve(session);
    return session;
  }

  /** It has changed, as the change `count` of its bucket. */
  changed(id: string, count: number): void {
    const kept = this.#kept.peek(id);
    if (kept === undefined || kept.count >= count) return;
    this.#kept.delete(id);
    this.invalidations += 1;
  }

  drop(id: string): void {
    this.#kept.delete(id);
  }
}
