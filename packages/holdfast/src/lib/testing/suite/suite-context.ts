import type { Clock } from '../../clock.ts';
import type { JsonObject } from '../../json/json-value.ts';
import { SessionManager, type SessionManagerOptions } from '../../manager/session-manager.ts';
import type { SessionStore } from '../../store/session-store.ts';
import type { StoreOptions } from '../../store/store-options.ts';
import type { BeginOptions, TurnGrant } from '../../store/turn-store.ts';

/** What the suite needs of a test runner: vitest, jest, node:test and mocha all have it. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: {
    (name: string, body: () => Promise<void>, timeoutMs?: number): void;
    readonly skip?: (name: string, body: () => Promise<void>) => void;
  };
  readonly beforeEach: (body: () => Promise<void>) => void;
  readonly afterEach: (body: () => Promise<void>) => void;
}

/** The store's clock, as far as the suite can move it: a fake one jumps, a real one is waited for. */
export interface SuiteClock extends Clock {
  advance(ms: number): Promise<void>;
}

/** One fresh, empty place for sessions. */
export interface SuiteStores {
  /**
   * A writer's way to it: another connection or process would be best. In memory it is the same
   * store each time.
   */
  open(): Promise<SessionStore>;
  /** Closes what was opened and takes the place away. */
  dispose(): Promise<void>;
}

/** What a driver can't do here, and how much of the work it should be given. */
export interface SuiteLimits {
  /** Cases that do not apply, by the beginning of their name, with the reason. */
  readonly skip?: Readonly<Record<string, string>>;
  /**
   * The shortest time that the clock keeps apart, in milliseconds: leases take 10 of them, idle
   * timeouts 30. Default 100.
   */
  readonly unitMs?: number;
  /** Runs of each property; default 100. */
  readonly propertyRuns?: number;
}

export interface SuiteTarget {
  readonly name: string;
  create(options: StoreOptions): Promise<SuiteStores>;
  readonly clock: SuiteClock;
  readonly limits?: SuiteLimits;
}

/** Writers on one place, each with a manager of its own. */
export interface Place {
  readonly sessions: SessionManager;
  readonly store: SessionStore;
  /** Another writer. What it wrote is read with `fresh`: a driver may keep what it read for a while. */
  writer(): Promise<SessionManager>;
}

/** Against hangs only: what a case waits for fails with a message long before. */
const caseTimeoutMs = 120_000;

/** What every case works with. */
export class SuiteContext {
  readonly clock: SuiteClock;
  readonly unitMs: number;
  readonly leaseMs: number;
  readonly idleMs: number;
  readonly propertyRuns: number;
  readonly #target: SuiteTarget;
  readonly #runner: SuiteRunner;
  #open: SuiteStores[] = [];

  constructor(target: SuiteTarget, runner: SuiteRunner) {
    this.#target = target;
    this.#runner = runner;
    this.clock = target.clock;
    this.unitMs = target.limits?.unitMs ?? 100;
    this.leaseMs = this.unitMs * 10;
    this.idleMs = this.unitMs * 30;
    this.propertyRuns = target.limits?.propertyRuns ?? 100;
  }

  group(name: string, body: () => void): void {
    this.#runner.describe(name, body);
  }

  /** A named case. One that the target skips is reported as skipped, with the reason. */
  case(name: string, body: () => Promise<void>): void {
    const skipped = Object.entries(this.#target.limits?.skip ?? {}).find(([start]) =>
      name.startsWith(start),
    );
    if (skipped === undefined) this.#runner.it(name, body, caseTimeoutMs);
    else this.#runner.it.skip?.(`${name} [${skipped[1]}]`, body);
  }

  /** A fresh place; it goes when the case ends. */
  async place(
    options: StoreOptions = {},
    managerOptions: Omit<SessionManagerOptions, 'store'> = {},
  ): Promise<Place> {
    const { clock, leaseMs, idleMs } = this;
    const stores = await this.#target.create({ idleTimeoutMs: idleMs, clock, ...options });
    this.#open.push(stores);
    const writer = async () => {
      const store = await stores.open();
      const waitMs = leaseMs * 10;
      return new SessionManager({ leaseMs, waitMs, clock, ...managerOptions, store });
    };
    const sessions = await writer();
    return { sessions, store: sessions.store, writer };
  }

  async disposeAll(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    for (const stores of open) await stores.dispose();
  }

  /** A turn begun by hand, as by a process that may die: nobody renews or ends it. */
  async beginByHand(
    store: SessionStore,
    id: string,
    options: Partial<BeginOptions> = {},
  ): Promise<TurnGrant<JsonObject>> {
    const begun = await store.begin(id, {
      nonce: crypto.randomUUID(),
      leaseMs: this.leaseMs,
      onBusy: 'wait',
      waitMs: this.leaseMs * 10,
      ...options,
    });
    if (begun.kind !== 'granted') throw new Error(`The turn on ${id} was a repeat.`);
    return begun;
  }

  /** Moves the clock on until the condition holds; fails when it does not within `most` ms. */
  async until(
    condition: () => boolean | Promise<boolean>,
    most = this.leaseMs * 20,
  ): Promise<void> {
    const step = this.unitMs / 4;
    for (let waited = 0; !(await condition()); waited += step) {
      if (waited >= most) throw new Error(`Waited ${most} ms in vain for ${condition}.`);
      await this.clock.advance(step);
    }
  }

  /** Lets everything run that can, without the clock moving to speak of. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }
}

/** A promise, and the way to settle it from outside. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>;
  #open: (value: Value) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(value: Value): void {
    this.#open(value);
  }
}
