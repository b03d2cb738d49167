import { randomUUID } from 'node:crypto';
import { HoldfastError } from '../../../packages/holdfast/src/lib/errors/errors.ts';
import { InMemorySessionStore } from '../../../packages/holdfast/src/lib/memory/in-memory-session-store.ts';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import type { RedisSessionStoreOptions } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { RedisSessionStore } from '../../../packages/holdfast/src/lib/redis/redis-session-store.ts';
import type { Lease } from '../../../packages/holdfast/src/lib/store/turn-store.ts';
import { FakeClock } from '../../../packages/holdfast/src/lib/testing/fake-clock.ts';
import type { FakeTimeRedis } from '../../servers/redis-server.ts';
import { observedConnect } from '../support/clock/observed-connect.ts';
import { FakeTimeClock } from '../support/clock/suite-clock.ts';
import { Traffic } from '../support/clock/traffic.ts';
import type { Call, Side } from './random-calls.ts';

/** What became of a call: as text, once it is known. */
interface Outcome {
  text: string | undefined;
}

/** A call that was made on both drivers, and has not ended on both. */
interface Made {
  readonly call: string;
  readonly memory: Outcome;
  readonly redis: Outcome;
  /** Whether it has waited while others were made. */
  hasWaited: boolean;
}

type Options = Omit<RedisSessionStoreOptions, 'clock' | 'url' | 'keyPrefix' | 'connect'>;

const events = ['created', 'evicted', 'deleted', 'escalated', 'status'] as const;

/** Who waits for a lease on Redis asks again a millisecond after its end. */
const laterMs = 1;

/**
 * The in-memory driver and, at a time that is the same for both, two instances on Redis: what is called on
 * the one is called on the others, and must be answered alike.
 */
export class TwoDrivers {
  readonly #clocks: readonly [FakeClock, FakeTimeClock];
  readonly #memory: Side;
  readonly #redis: readonly [Side, Side];
  readonly #pending = new Set<Made>();
  readonly #told: readonly [memory: string[], redis: string[]] = [[], []];
  /** All calls so far. */
  readonly log: string[] = [];

  private constructor(
    clocks: readonly [FakeClock, FakeTimeClock],
    memory: InMemorySessionStore,
    redis: readonly [RedisSessionStore, RedisSessionStore],
  ) {
    this.#clocks = clocks;
    this.#memory = { store: memory, leases: new Map() };
    const leases = new Map<number, Lease>();
    const [one, other] = redis;
    this.#redis = [
      { store: one, leases },
      { store: other, leases },
    ];
    for (const name of events) {
      memory.on(name, (event) => this.#told[0].push(`${name} ${JSON.stringify(event)}`));
      for (const store of redis) {
        store.on(name, (event) => this.#told[1].push(`${name} ${JSON.stringify(event)}`));
      }
    }
  }

  /** @param start where their time begins, in ms since the epoch: the server's only goes on */
  static async open(server: FakeTimeRedis, start: number, options: Options): Promise<TwoDrivers> {
    const traffic = new Traffic();
    const clocks = [new FakeClock(start), new FakeTimeClock(server, traffic, start)] as const;
    const memory = new InMemorySessionStore({ ...options, clock: clocks[0] });
    const connect = observedConnect(connectNodeRedis, traffic);
    const keyPrefix = `${randomUUID()}:`;
    const own = { url: server.url, clock: clocks[1], keyPrefix, connect, outputIntervalMs: 0 };
    const instance = () => RedisSessionStore.connect({ buckets: 4, ...options, ...own });
    return new TwoDrivers(clocks, memory, [await instance(), await instance()]);
  }

  get now(): number {
    return this.#clocks[1].now();
  }

  /** The numbers of those that both have granted. */
  get leases(): readonly number[] {
    const { leases } = this.#redis[0];
    return [...this.#memory.leases.keys()].filter((number) => leases.has(number));
  }

  /**
   * Makes the call on both, on Redis by one of its instances, and lets pass what passes with it.
   * @returns how they differ; undefined when they don't
   */
  async make(call: Call, instance: 0 | 1): Promise<string | undefined> {
    const made: Made = {
      call: call.text,
      memory: outcomeOf(call, this.#memory),
      redis: outcomeOf(call, this.#redis[instance]),
      hasWaited: false,
    };
    this.#pending.add(made);
    await this.#pass(call.passes);
    if (call.passes > 0) await this.#pass(laterMs + 1);
    this.log.push(`[${instance}] ${call.text} -> ${made.memory.text}`);
    for (const one of this.#pending) {
      const { memory, redis } = one;
      if (!areAlike(memory.text, redis.text, one)) return differences(one.call, memory, redis);
      if (memory.text === undefined) one.hasWaited = true;
      else this.#pending.delete(one);
    }
    const [memory, redis] = this.#told.map((told) => ({ text: told.splice(0).sort().join() }));
    if (memory?.text === redis?.text) return undefined;
    return differences(`what listeners were told with ${call.text}`, memory, redis);
  }

  async close(): Promise<void> {
    await Promise.all([this.#memory, ...this.#redis].map(({ store }) => store.close()));
  }

  async #pass(ms: number): Promise<void> {
    for (const clock of this.#clocks) {
      await clock.advance(ms);
      // What it set off may have set off more.
      await clock.advance(0);
    }
  }
}

function outcomeOf(call: Call, side: Side): Outcome {
  const outcome: Outcome = { text: undefined };
  call.run(side).then(
    (value) => {
      outcome.text = JSON.stringify(value ?? null, inOrder);
    },
    (error: unknown) => {
      outcome.text = error instanceof HoldfastError ? error.code : String(error);
    },
  );
  return outcome;
}

function inOrder(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? Object.fromEntries(Object.entries(value).sort()) : value;
}

const time = /(?<!\d)(\d{13})(?!\d)/;

/** But for what the drivers may do differently. */
function areAlike(
  memory: string | undefined,
  redis: string | undefined,
  { call, hasWaited }: Made,
): boolean {
  if (memory === redis) return true;
  if (memory === undefined || redis === undefined) return false;
  // Redis keeps less of what was written before a session ended.
  if (call.startsWith(again) && redis === 'OUTCOME_UNKNOWN') return true;
  if (!hasWaited) return false;
  const [these, those] = [memory.split(time), redis.split(time)];
  return these.every((part, at) => {
    const other = those[at] ?? '';
    return part === other || Math.abs(Number(part) - Number(other)) <= laterMs;
  });
}

/** What the text of a call begins with that was made before. */
export const again = 'again: ';

function differences(what: string, memory?: Outcome, redis?: Outcome): string {
  return `${what}\n  in memory: ${memory?.text}\n  on Redis:  ${redis?.text}`;
}
