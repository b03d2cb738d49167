import type { CancelTimer, Clock } from '../../clock.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import { outside } from '../connection/outside.ts';
import { int, list } from '../connection/reply.ts';
import type { Keys } from '../layout/keys.ts';
import { scripts } from '../scripts/scripts.ts';
import { BucketNews } from './bucket-news.ts';

export interface Change {
  readonly bucket: BucketNews;
  /** Its number in the bucket. */
  readonly count: number;
  /** The incarnation that has ended with it, or `none` for any; `null` when none has. */
  readonly ended: string | null;
}

export interface NewsOptions {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly clock: Clock;
  /** How far behind the server what is kept may be, in ms. */
  readonly stalenessMs: number;
  /** A session has changed. */
  readonly onChange: (id: string, change: Change) => void;
}

/** About how many buckets one call asks: Lua takes 8,000 values at once. */
const mostAtOnce = 1_000;

/** As `news.lua` tells it: number, id, and what has ended. */
const messagePattern = /^(\d{1,16}) (\S{1,255})(?: (\S{1,255}))?$/;

/**
 * What has changed in the buckets that matter here: told by messages, and asked for besides twice in
 * the time that may pass unconfirmed, since messages may be lost in silence. Who relies on a bucket
 * says so each time (`want`), or while it does (`watch`); of others nothing is asked.
 */
export class News {
  readonly stalenessMs: number;
  readonly #options: NewsOptions;
  readonly #buckets: (BucketNews | undefined)[] = [];
  readonly #beatMs: number;
  #cancelBeat: CancelTimer | null = null;
  #isClosed = false;

  constructor(options: NewsOptions) {
    this.#options = options;
    this.stalenessMs = options.stalenessMs;
    this.#beatMs = Math.max(5, Math.floor(options.stalenessMs / 2));
    options.link.onGap(() => this.missed());
    options.link.onServer(() => this.missed());
  }

  of(id: string): BucketNews {
    const { keys } = this.#options;
    const number = keys.bucketOf(id);
    const known = this.#buckets[number];
    if (known !== undefined) return known;
    const bucket = new BucketNews(keys.news(number));
    this.#buckets[number] = bucket;
    return bucket;
  }

  /** The bucket's news are needed now, and for a while. */
  want(bucket: BucketNews): void {
    bucket.wanted = true;
    if (bucket.listening === 'no') void this.#listen(bucket);
    this.#arm();
  }

  /** Until the returned function is called, `missed` is told when changes may have been missed. */
  watch(id: string, missed: () => void): () => void {
    const bucket = this.of(id);
    bucket.watchers.add(missed);
    this.want(bucket);
    return () => bucket.watchers.delete(missed);
  }

  replied(asked: Parameters<BucketNews['replied']>[0], count: number, serverNow: number): void {
    asked.bucket.replied(asked, count, serverNow, this.#beatMs);
  }

  /** Changes may have been missed anywhere. */
  missed(): void {
    for (const bucket of this.#buckets) bucket?.missed();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelBeat?.();
  }

  async #listen(bucket: BucketNews): Promise<void> {
    bucket.listening = 'beginning';
    try {
      await this.#options.link.subscribe(bucket.key, (message) => this.#hear(bucket, message));
      bucket.listening = 'yes';
    } catch {
      // Whoever wants it next tries again; until then nothing is kept.
      bucket.listening = 'no';
    }
  }

  #hear(bucket: BucketNews, message: Buffer): void {
    const [, digits = '', id = '', ended = null] = messagePattern.exec(message.toString()) ?? [];
    const count = Number(digits);
    if (id === '' || !Number.isSafeInteger(count)) return;
    this.#options.onChange(id, { bucket, count, ended });
    bucket.hear(count);
  }

  #arm(): void {
    if (this.#cancelBeat !== null || this.#isClosed) return;
    const beat = () => this.#beat();
    const { clock } = this.#options;
    this.#cancelBeat = outside(() => clock.setTimer(this.#beatMs, beat, { background: true }));
  }

  #beat(): void {
    this.#cancelBeat = null;
    const due = this.#buckets.filter(
      (bucket) => bucket !== undefined && (bucket.wanted || bucket.watchers.size > 0),
    ) as BucketNews[];
    if (due.length === 0) return;
    this.#arm();
    const free = due.filter((bucket) => !bucket.isAsked);
    // Of a cluster, one script cannot ask for what is in several slots, and one server may be away.
    const together = this.#options.link.isSharded ? 1 : mostAtOnce;
    for (let at = 0; at < free.length; at += together) {
      void this.#ask(free.slice(at, at + together));
    }
  }

  async #ask(buckets: readonly BucketNews[]): Promise<void> {
    const now = this.#options.clock.monotonic();
    const asked = buckets.map((bucket) => {
      bucket.wanted = false;
      bucket.isAsked = true;
      return bucket.asked(now);
    });
    try {
      const keys = buckets.map(({ key }) => key);
      const [serverNow, ...counts] = list(await this.#options.link.call(scripts.news, keys, []));
      for (const [at, one] of asked.entries()) this.replied(one, int(counts[at]), int(serverNow));
    } catch {
      // Nothing is confirmed, so that nothing is served: who reads next learns of the outage.
    } finally {
      for (const bucket of buckets) bucket.isAsked = false;
    }
  }
}
