import { setImmediate as macrotask } from 'node:timers/promises';

export interface TrafficOptions {
  /** Against hangs only; default 30 s. */
  readonly limitMs?: number;
  /**
   * How long a lost connection is waited for, by real time: more than the longest pause between two
   * attempts to connect. Default 1 s.
   */
  readonly rebuildMs?: number;
}

/** A connection on which messages come, or none at the moment. */
export interface Subscriber {
  readonly expectsMessages: boolean;
  /** Settles when all that the server sent before has come, or never will. */
  flush(): Promise<void>;
}

/** What somebody's connections have in common. */
export type Owner = object;

interface Loss {
  readonly owner: Owner;
  readonly what: string;
  readonly until: number;
}

/** Enough for what a reply or a message sets off to reach its next command. */
const macrotasks = 4;

/** All that is going on between a test's stores and Redis, as `observedConnect` tells it. */
export class Traffic {
  readonly subscribers = new Set<Subscriber>();
  readonly #limitMs: number;
  readonly #rebuildMs: number;
  readonly #inFlight = new Set<{ readonly what: string }>();
  #losses: Loss[] = [];
  #events = 0;
  readonly #waiting = new Set<() => void>();

  constructor({ limitMs = 30_000, rebuildMs = 1000 }: TrafficOptions = {}) {
    this.#limitMs = limitMs;
    this.#rebuildMs = rebuildMs;
  }

  /**
   * Resolves when nothing more happens unless a timer or somebody outside sets it off: nothing is in
   * flight, no connection is missing, every message that was published has been delivered, and the
   * consequences of all that have run.
   *
   * @throws Error that says what was in flight, when it did not come to rest within the limit
   */
  async quiet(): Promise<void> {
    const deadline = performance.now() + this.#limitMs;
    for (;;) {
      while (this.#isBusy) await this.#before(deadline, this.#nextChange());
      const events = this.#events;
      const expecting = [...this.subscribers].filter((each) => each.expectsMessages);
      const flushed = Promise.all(expecting.map((each) => each.flush()));
      await this.#before(deadline, flushed, 'a PING to learn that all messages have come');
      for (let turn = 0; turn < macrotasks; turn++) await macrotask();
      if (this.#events === events && !this.#isBusy) return;
    }
  }

  /** @returns what ends it; may be called again */
  begin(what: string): () => void {
    const one = { what };
    this.#inFlight.add(one);
    this.note();
    return () => {
      if (this.#inFlight.delete(one)) this.note();
    };
  }

  /** Something happened that may have consequences. */
  note(): void {
    this.#events += 1;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Its owner is expected to make this connection again. */
  lost(owner: Owner, what: string): void {
    this.#losses.push({ owner, what, until: performance.now() + this.#rebuildMs });
    this.note();
  }

  /** The owner has this connection again, or, with none named, needs no connection any more. */
  rebuilt(owner: Owner, what?: string): void {
    this.#losses = this.#losses.filter(
      (loss) => loss.owner !== owner || (what !== undefined && loss.what !== what),
    );
    this.note();
  }

  get #isBusy(): boolean {
    const now = performance.now();
    this.#losses = this.#losses.filter(({ until }) => until > now);
    return this.#inFlight.size > 0 || this.#losses.length > 0;
  }

  /** An event, or a lost connection that is waited for no longer. */
  #nextChange(): Promise<void> {
    const expires = Math.min(...this.#losses.map(({ until }) => until));
    return new Promise((resolve) => {
      const ms = expires - performance.now();
      const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.max(ms, 0) + 1) : undefined;
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #before<Value>(deadline: number, promise: Promise<Value>, extra?: string): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Error(this.#describe(extra)));
      timer = setTimeout(fail, Math.max(deadline - performance.now(), 0));
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #describe(extra?: string): string {
    const all = [
      ...[...this.#inFlight].map(({ what }) => what),
      ...this.#losses.map(({ what }) => `${what}, which was lost and is not there again`),
      ...(extra === undefined ? [] : [extra]),
    ];
    const shown = all.slice(0, 10);
    if (all.length > shown.length) shown.push(`${all.length - shown.length} more`);
    const limit = `${this.#limitMs / 1000} s`;
    return `Redis did not come to rest within ${limit}. In flight: ${shown.join('; ')}.`;
  }
}
