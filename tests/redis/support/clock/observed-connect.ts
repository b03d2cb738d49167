import type {
  ChannelKind,
  ConnectionLostError,
  ConnectionPurpose,
  ConnectRedis,
  RedisArgument,
  RedisConnection,
  RedisReply,
  RedisReplyError,
} from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { RedisTimeoutError } from '../../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import type { Owner, Subscriber, Traffic } from './traffic.ts';

/**
 * `connect`, with all that goes over its connections counted in `traffic`. A store is told from
 * others by its address object, which its connections share.
 */
export function observedConnect(connect: ConnectRedis, traffic: Traffic): ConnectRedis {
  return async (address, purpose, signal) => {
    const what = `the connection for ${purpose} to ${address.display}`;
    const end = traffic.begin(`making ${what}`);
    try {
      const inner = await connect(address, purpose, signal);
      traffic.rebuilt(address, what);
      return new ObservedConnection(inner, { owner: address, what, purpose, traffic });
    } catch (error) {
      if (!signal.aborted || isFault(signal.reason)) traffic.lost(address, what);
      throw error;
    } finally {
      end();
    }
  };
}

interface Observation {
  readonly owner: Owner;
  readonly what: string;
  readonly purpose: ConnectionPurpose;
  readonly traffic: Traffic;
}

class ObservedConnection implements RedisConnection, Subscriber {
  onMessage: ((channel: string, message: Buffer) => void) | undefined;
  onMoved: ((channel: string) => void) | undefined;
  readonly closed: Promise<Error>;
  readonly #inner: RedisConnection;
  readonly #observation: Observation;
  /** What ends the observation of what is in flight. */
  readonly #ends = new Set<() => void>();
  #subscriptions = 0;
  #isWanted = true;

  constructor(inner: RedisConnection, observation: Observation) {
    this.#inner = inner;
    this.#observation = observation;
    inner.onMessage = (channel, message) => {
      observation.traffic.note();
      this.onMessage?.(channel, message);
    };
    inner.onMoved = (channel) => this.onMoved?.(channel);
    if (observation.purpose === 'subscriptions') observation.traffic.subscribers.add(this);
    this.closed = inner.closed.then((why) => {
      this.#left();
      return why;
    });
  }

  get expectsMessages(): boolean {
    return this.#subscriptions > 0;
  }

  send(args: readonly RedisArgument[]): Promise<RedisReply> {
    return this.#during(describe(args), () => this.#inner.send(args));
  }

  explain(error: unknown): RedisReplyError | ConnectionLostError {
    return this.#inner.explain(error);
  }

  subscribe(channel: string, kind?: ChannelKind): Promise<void> {
    this.#subscriptions += 1;
    return this.#during(`SUBSCRIBE ${channel}`, () => this.#inner.subscribe(channel, kind));
  }

  async unsubscribe(channel: string, kind?: ChannelKind): Promise<void> {
    await this.#during(`UNSUBSCRIBE ${channel}`, () => this.#inner.unsubscribe(channel, kind));
    this.#subscriptions -= 1;
  }

  destroy(why?: Error): void {
    const { traffic, owner } = this.#observation;
    // Without a reason it was of no use, and another attempt follows.
    if (why !== undefined && !isFault(why)) {
      this.#isWanted = false;
      traffic.rebuilt(owner);
    }
    this.#inner.destroy(why);
  }

  async flush(): Promise<void> {
    await Promise.race([this.#inner.send(['PING']).catch(() => {}), this.#inner.closed]);
  }

  async #during<Value>(what: string, run: () => Promise<Value>): Promise<Value> {
    const { traffic, purpose } = this.#observation;
    const end = traffic.begin(`${what} (${purpose})`);
    this.#ends.add(end);
    try {
      return await run();
    } finally {
      this.#ends.delete(end);
      end();
    }
  }

  #left(): void {
    const { traffic, owner, what } = this.#observation;
    traffic.subscribers.delete(this);
    if (this.#isWanted) traffic.lost(owner, what);
    // A client may leave calls on a closed connection without an answer.
    for (const end of this.#ends) end();
    traffic.note();
  }
}

/** Such a connection is made again; one that is ended for another reason ends with its store. */
function isFault(why: unknown): boolean {
  return why instanceof RedisTimeoutError;
}

function describe(args: readonly RedisArgument[]): string {
  const words = args.map((arg) => (typeof arg === 'string' ? arg : `<${arg.length} bytes>`));
  const text = words.join(' ');
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
