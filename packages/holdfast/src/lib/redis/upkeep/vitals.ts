import { HoldfastError } from '../../errors/errors.ts';
import { randomId } from '../../model/ids.ts';
import type { ServerStats, StoreHealth, StoreStats } from '../../store/store-stats.ts';
import { serverInfo } from '../connection/link/server-info.ts';
import { int, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import type { Removals } from '../sessions/removals.ts';

const probeMs = '10000';

/** Counts and health. Each costs what there are buckets, however many sessions there are. */
export class Vitals<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #removals: Removals<Metadata>;

  constructor(core: RedisCore<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#removals = removals;
  }

  /** Exact: what has expired is removed first. */
  async countActive(signal?: AbortSignal): Promise<number> {
    await this.#removals.removeExpired(signal);
    return this.#sum((bucket) => ['ZCARD', this.#core.keys.all(bucket)]);
  }

  async stats(signal?: AbortSignal): Promise<StoreStats> {
    const { keys, codec, options, clock } = this.#core;
    const { l1, tails } = this.#core.known;
    const hits = (l1?.hits ?? 0) + (tails?.hits ?? 0);
    const misses = (l1?.misses ?? 0) + (tails?.misses ?? 0);
    const from = `(${await clock.now()}`;
    signal?.throwIfAborted();
    const [activeSessions, activeLeases, waiters, server] = await Promise.all([
      this.#sum((bucket) => ['ZCARD', keys.all(bucket)]),
      this.#sum((bucket) => ['ZCOUNT', keys.leases(bucket), from, '+inf']),
      this.#sum((bucket) => ['ZCOUNT', keys.waiters(bucket), from, '+inf']),
      this.#server(),
    ]);
    return {
      storeType: 'redis',
      activeSessions,
      maxSessions: null,
      activeLeases,
      waiters,
      l1CacheEnabled: l1 !== null,
      l1CacheSize: l1?.size ?? 0,
      l1CacheHitRate: hits === 0 ? 0 : hits / (hits + misses),
      l1CacheHits: hits,
      l1CacheMisses: misses,
      l1CacheInvalidations: l1?.invalidations ?? 0,
      encryptionEnabled: codec.authenticates,
      encryptionKeyIds: codec.keyIds,
      lockingEnabled: options.locking,
      turns: this.#core.turnFigures.report(),
      server,
    };
  }

  async #server(): Promise<ServerStats | null> {
    const { link } = this.#core;
    const [about, memory, clients] = await Promise.all(
      ['server', 'memory', 'clients'].map((section) => serverInfo(link, section)),
    );
    const version = about?.get('valkey_version') ?? about?.get('redis_version');
    if (version === undefined) return null;
    return {
      version,
      usedMemoryBytes: Number(memory?.get('used_memory')),
      connectedClients: Number(clients?.get('connected_clients')),
    };
  }

  async health(): Promise<StoreHealth> {
    const { link, keys } = this.#core;
    const nonce = randomId();
    const key = keys.probe(nonce);
    const operations = { set: false, get: false, delete: false };
    try {
      const set = await link.command(['SET', key, nonce, 'PX', probeMs]);
      operations.set = text(set) === 'OK';
      operations.get = text(await link.command(['GET', key])) === nonce;
      operations.delete = (await link.command(['DEL', key])) === 1;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return { healthy: false, operations, error: error.message };
    }
    return { healthy: operations.set && operations.get && operations.delete, operations };
  }

  async #sum(commandOf: (bucket: number) => readonly string[]): Promise<number> {
    const { keys, link } = this.#core;
    const counts = await Promise.all(
      Array.from({ length: keys.buckets }, (_, bucket) => link.command(commandOf(bucket))),
    );
    return counts.reduce<number>((sum, count) => sum + int(count), 0);
  }
}
