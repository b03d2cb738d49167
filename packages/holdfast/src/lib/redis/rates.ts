import { createHash } from 'node:crypto';
import type { RateWindow } from '../store/session-store.ts';
import { int, list } from './connection/reply.ts';
import type { RedisCore } from './core/redis-core.ts';
import { scripts } from './scripts/scripts.ts';

/** Hits of many processes, counted together. What they are of is not stored, only a hash. */
export class Rates<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
  }

  /** Has no nonce: one that is repeated after a lost reply may count twice, which harms nobody. */
  async hit(key: string, periodMs: number): Promise<RateWindow> {
    const { keys, link } = this.#core;
    const reply = await link.call(scripts.hit, [keys.rate(this.#nameOf(key))], [String(periodMs)]);
    const [count, resetMs] = list(reply);
    return { count: int(count), resetMs: int(resetMs) };
  }

  /** With encryption a keyed hash, as users' names are: of an address a plain one could be guessed. */
  #nameOf(key: string): string {
    const { codec } = this.#core;
    if (codec.authenticates) return codec.userNames(`rate:${key}`)[0];
    return createHash('sha256').update(key).digest('base64url');
  }
}
