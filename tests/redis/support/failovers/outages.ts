import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { slotOf } from '../../../../packages/holdfast/src/lib/redis/connection/routes/cluster-slots.ts';
import type { Durability } from '../../../../packages/holdfast/src/lib/redis/core/replicas.ts';
import { RawClient } from '../../../servers/raw-client.ts';
import type { RedisServer } from '../../../servers/redis-server.ts';

/** Between two questions, in ms. */
const pollMs = 20;
/** How long a server may take to answer one, and a replica to confirm what it has written; in ms. */
const answerMs = 250;
const confirmMs = 200;

/** Servers one of which takes the writes. */
export interface Shard {
  readonly nodes: readonly Pick<RedisServer, 'host' | 'port'>[];
  /** Those of a cluster that are the shard's; all if undefined. */
  readonly slots?: ReadonlySet<number> | undefined;
}

/** A time, by `performance.now()`, during which no server acknowledged a write to the slots. */
interface Outage {
  readonly from: number;
  to: number;
  readonly slots: ReadonlySet<number> | undefined;
}

/**
 * For how long Redis does not acknowledge writes, with `replicated` because no replica confirms them. The servers
 * themselves are asked all the time, over connections that no client library makes.
 */
export class Outages {
  readonly all: Outage[] = [];
  readonly #durability: Durability;
  readonly #watching: Promise<unknown>;
  #isOver = false;

  constructor(durability: Durability, shards: readonly Shard[]) {
    this.#durability = durability;
    this.#watching = Promise.all(shards.map((shard) => this.#watch(shard)));
    onTestFinished(() => this.end());
  }

  /** A time that counts as an outage though servers acknowledge: some cannot be reached, or not all of a slot is there. */
  async during(fault: () => Promise<void>, slots?: ReadonlySet<number>): Promise<void> {
    const outage = { from: performance.now(), to: Number.POSITIVE_INFINITY, slots };
    this.all.push(outage);
    await fault();
    outage.to = performance.now();
  }

  /** Those that somebody met who waited from and to then, on a session in the slot. */
  met(from: number, to: number, slot: number): readonly Outage[] {
    return this.all.filter(
      (outage) => outage.from < to && from < outage.to && (outage.slots?.has(slot) ?? true),
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }

  async #watch({ nodes, slots }: Shard): Promise<void> {
    const key = keyIn(slots);
    let acknowledgedAt = performance.now();
    let outage: Outage | undefined;
    while (!this.#isOver) {
      const askedAt = performance.now();
      const answers = await Promise.all(nodes.map((node) => this.#acknowledges(node, key)));
      if (answers.includes(true)) {
        acknowledgedAt = askedAt;
        if (outage !== undefined) outage.to = performance.now();
        outage = undefined;
      } else if (outage === undefined) {
        outage = { from: acknowledgedAt, to: Number.POSITIVE_INFINITY, slots };
        this.all.push(outage);
      }
      await sleep(pollMs);
    }
  }

  async #acknowledges({ host, port }: Shard['nodes'][number], key: string): Promise<boolean> {
    const client = new RawClient(port, host);
    const late = setTimeout(() => client.close(), answerMs);
    try {
      const written = await client.send('SET', key, '1', 'PX', '60000');
      if (written !== '+OK' || this.#durability === 'async') return written === '+OK';
      return Number((await client.send('WAIT', '1', String(confirmMs))).slice(1)) > 0;
    } catch {
      return false;
    } finally {
      clearTimeout(late);
      client.close();
    }
  }
}

/** A key of the tests' own, in one of the slots. */
function keyIn(slots: ReadonlySet<number> | undefined): string {
  for (let count = 0; ; count++) {
    const key = `outages:${count}`;
    if (slots === undefined || slots.has(slotOf(key))) return key;
  }
}
