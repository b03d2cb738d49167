import { LRUCache } from 'lru-cache';
import type { CancelTimer, Clock } from '../../clock.ts';
import { outside } from '../connection/outside.ts';

/** How much later than its time something may go, in ms: many go at once. */
const beatMs = 100;

interface Aged {
  /** Drops what is too old. @returns when the next will be, by the monotonic clock */
  purge(now: number): number;
  clear(): void;
}

/** How long a store keeps what it knows in memory. One timer drops what is too old in all its caches. */
export class Aging {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #caches: Aged[] = [];
  #cancel: CancelTimer | null = null;
  #isClosed = false;

  constructor(clock: Clock, ttlMs: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  add(cache: Aged): void {
    this.#caches.push(cache);
  }

  /** When what is kept now will be too old. */
  end(): number {
    const now = this.#clock.monotonic();
    if (this.#cancel === null && !this.#isClosed) this.#arm(this.#ttlMs);
    return now + this.#ttlMs;
  }

  /** Drops all that is kept. */
  clear(): void {
    for (const cache of this.#caches) cache.clear();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.clear();
  }

  #arm(ms: number): void {
    const purge = () => this.#purge();
    this.#cancel = outside(() => this.#clock.setTimer(ms, purge, { background: true }));
  }

  #purge(): void {
    this.#cancel = null;
    const now = this.#clock.monotonic();
    const next = Math.min(...this.#caches.map((cache) => cache.purge(now)));
    if (next < Infinity) this.#arm(Math.max(next - now, beatMs));
  }
}

/** What was used last, so many at most, and nothing that is too old. */
export class AgingCache<Value extends object> {
  readonly #values: LRUCache<string, Value>;
  /** When each is too old. All are kept equally long: the first is the first to go. */
  readonly #ends = new Map<string, number>();
  readonly #aging: Aging;

  constructor(size: number, aging: Aging) {
    this.#values = new LRUCache({
      max: size,
      dispose: (_value, id, reason) => {
        if (reason === 'evict') this.#ends.delete(id);
      },
    });
    this.#aging = aging;
    aging.add(this);
  }

  get size(): number {
    return this.#values.size;
  }

  get(id: string): Value | undefined {
    return this.#values.get(id);
  }

  /** Without using it. */
  peek(id: string): Value | undefined {
    return this.#values.peek(id);
  }

  set(id: string, value: Value): void {
    this.#values.set(id, value);
    this.renew(id);
  }

  /** What is kept under this id is as new as if it came now. */
  renew(id: string): void {
    this.#ends.delete(id);
    this.#ends.set(id, this.#aging.end());
  }

  delete(id: string): void {
    this.#values.delete(id);
    this.#ends.delete(id);
  }

  clear(): void {
    this.#values.clear();
    this.#ends.clear();
  }

  purge(now: number): number {
    for (const [id, end] of this.#ends) {
      if (end > now) return end;
      this.delete(id);
    }
    return Infinity;
  }
}
