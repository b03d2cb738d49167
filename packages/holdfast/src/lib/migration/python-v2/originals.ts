import { createHash } from 'node:crypto';
import { randomId } from '../../model/ids.ts';
import { connectNodeRedis } from '../../redis/connection/client/node-redis.ts';
import { RedisLink } from '../../redis/connection/link/redis-link.ts';
import type { RedisAddress } from '../../redis/connection/redis-address.ts';
import { bytesOrNull, int, list, text } from '../../redis/connection/reply.ts';
import { defineScript } from '../../redis/connection/script.ts';
import { isOwnKey } from '../../redis/layout/keys.ts';
import type { Original } from '../../redis/upkeep/importing.ts';
import type { Logger } from '../../store/emitter.ts';

/** A session as Python's Redis has it. */
export interface StoredOriginal {
  readonly id: string;
  readonly value: Buffer;
  readonly original: Original;
  /** How long it still has, in ms, from the moment at which it was read; `null` for ever. */
  readonly remainingMs: () => number | null;
}

export interface OriginalsOptions {
  readonly address: RedisAddress;
  readonly prefix: string;
  /** What Holdfast's own keys begin with, which may be behind `prefix`. */
  readonly ownPrefix: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly retries: number;
  readonly logger: Logger;
  /** Gives up connecting. */
  readonly signal?: AbortSignal | undefined;
}

/** Keys looked at in one go. */
const scanned = '500';

/** KEYS 1 session, 2 ids of the active ones. ARGV 1 id, 2 SHA-1 of the value that may go. */
const removal = defineScript(
  'remove-original',
  `local value = redis.call('GET', KEYS[1])
if value and redis.sha1hex(value) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1`,
);

/**
 * The sessions of Python v2.0: one key of type string for each directly behind the prefix, and the set
 * of the active ones. Holdfast's own keys may stand behind the same prefix, and are none of them.
 */
export class Originals {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #ownPrefix: string;

  private constructor(link: RedisLink, prefix: string, ownPrefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    this.#ownPrefix = ownPrefix;
  }

  /** @throws ConfigError, StoreUnavailableError */
  static async connect({ prefix, ownPrefix, ...options }: OriginalsOptions): Promise<Originals> {
    const link = await RedisLink.open({
      ...options,
      connect: connectNodeRedis,
      scripts: [removal],
    });
    return new Originals(link, prefix, ownPrefix);
  }

  /** All ids, in no order; what comes or goes meanwhile may be missing. */
  async ids(signal: AbortSignal): Promise<readonly string[]> {
    const ids = new Set<string>();
    const pattern = `${this.#prefix.replace(/[\\?*[\]^]/g, '\\$&')}*`;
    let cursor = '0';
    do {
      signal.throwIfAborted();
      const [next, keys] = list(
        await this.#link.command([
          ...['SCAN', cursor, 'MATCH', pattern],
          ...['COUNT', scanned, 'TYPE', 'string'],
        ]),
      );
      for (const key of list(keys ?? []).map(text)) {
        if (!this.#isOwn(key)) ids.add(key.slice(this.#prefix.length));
      }
      cursor = text(next);
    } while (cursor !== '0');
    return [...ids];
  }

  #isOwn(key: string): boolean {
    return [this.#prefix, this.#ownPrefix].some(
      (prefix) => key.startsWith(prefix) && isOwnKey(key.slice(prefix.length)),
    );
  }

  /** Those of these that are there. */
  async read(ids: readonly string[]): Promise<readonly StoredOriginal[]> {
    if (ids.length === 0) return [];
    const keys = ids.map((id) => this.#prefix + id);
    const readAt = performance.now();
    // All on one connection, in this order: each expiry lies between two times that are known.
    const earlier = this.now();
    const values = this.#link.command(['MGET', ...keys]);
    const ttls = keys.map((key) => this.#link.command(['PTTL', key]));
    const later = this.now();
    const [before, found, left, after] = await Promise.all([
      earlier,
      values,
      Promise.all(ttls),
      later,
    ]);
    return ids.flatMap((id, at) => {
      const value = bytesOrNull(list(found)[at]);
      const ttl = int(left[at]);
      if (value === null || ttl === -2) return [];
      const expiry = ttl < 0 ? null : { earliest: before + ttl, latest: after + ttl };
      return [
        {
          id,
          value,
          original: { digest: digestOf(value), expiry },
          remainingMs: () => (ttl < 0 ? null : Math.floor(ttl - (performance.now() - readAt))),
        },
      ];
    });
  }

  /** @returns whether the session is gone, and had not changed since it was read */
  async remove({ id, value }: StoredOriginal): Promise<boolean> {
    const sha1 = createHash('sha1').update(value).digest('hex');
    const keys = [this.#prefix + id, `${this.#prefix}active`];
    return int(await this.#link.call(removal, keys, [id, sha1], randomId())) === 1;
  }

  /** By the server's clock, in ms since the epoch. */
  async now(): Promise<number> {
    const [seconds, micros] = list(await this.#link.command(['TIME']));
    return int(seconds) * 1_000 + Math.floor(int(micros) / 1_000);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}

function digestOf(value: Buffer): string {
  return createHash('sha256').update(value).digest('base64url');
}
