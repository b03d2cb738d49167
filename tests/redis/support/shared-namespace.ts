import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { JsonObject } from '../../../packages/holdfast/src/lib/json/json-value.ts';
import {
  SessionManager,
  type SessionManagerOptions,
} from '../../../packages/holdfast/src/lib/manager/session-manager.ts';
import { Keys } from '../../../packages/holdfast/src/lib/redis/layout/keys.ts';
import type { RedisSessionStoreOptions } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { RedisSessionStore } from '../../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import type {
  BeginOptions,
  TurnGrant,
} from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import { type Ask, asking } from './asking.ts';

export type InstanceOptions = Partial<RedisSessionStoreOptions> &
  Pick<SessionManagerOptions, 'leaseMs' | 'waitMs' | 'maxTurnMs'>;

const buckets = 8;

/** Where the instances of one test meet: a fresh prefix on a server. Everything goes with the test. */
export class SharedNamespace {
  readonly keyPrefix = `test:${randomUUID()}:`;
  readonly keys = new Keys(this.keyPrefix, buckets);
  readonly #url: string;
  readonly #defaults: InstanceOptions;

  constructor(url: string, defaults: InstanceOptions = {}) {
    this.#url = url;
    this.#defaults = defaults;
  }

  /** An instance with connections of its own, as another process would have them. */
  async instance(options: InstanceOptions = {}): Promise<Instance> {
    const all = { ...this.#defaults, ...options };
    const { leaseMs = 30_000, waitMs = 60_000, maxTurnMs, ...storeOptions } = all;
    const store = await RedisSessionStore.connect({
      url: this.#url,
      buckets,
      ...storeOptions,
      keyPrefix: this.keyPrefix,
    });
    onTestFinished(() => store.close());
    return new Instance({ store, leaseMs, waitMs, maxTurnMs, logger: all.logger });
  }

  /** Commands of a test's own: their replies as text. */
  asking(): Promise<Ask> {
    return asking(this.#url);
  }
}

export class Instance extends SessionManager {
  declare readonly store: RedisSessionStore;

  /** A turn begun by hand: nobody renews or ends it. */
  async begin(id: string, options: Partial<BeginOptions> = {}): Promise<TurnGrant<JsonObject>> {
    const begun = await this.store.begin(id, {
      nonce: randomUUID(),
      leaseMs: 30_000,
      onBusy: 'wait',
      waitMs: 60_000,
      ...options,
    });
    if (begun.kind !== 'granted') throw new Error(`The turn on ${id} was a repeat.`);
    return begun;
  }
}
