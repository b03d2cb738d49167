import { OutcomeUnknownError } from '../../../../packages/holdfast/src/lib/errors/errors.ts';
import type { SessionManager } from '../../../../packages/holdfast/src/lib/manager/session-manager.ts';
import type { Turn } from '../../../../packages/holdfast/src/lib/manager/turn.ts';
import { prepareMessage } from '../../../../packages/holdfast/src/lib/model/message.ts';
import type { SessionStore } from '../../../../packages/holdfast/src/lib/store/session-store.ts';
import type { Beats } from './beats.ts';
import { codeOf } from './history.ts';

/** Sessions that are there from a round's beginning to its end. */
export const lasting = ['lasting-1', 'lasting-2'];
/** One whose state is replaced as a whole. */
export const replaced = 'replaced';
/** Names under which sessions begin and end. */
export const mortal = ['mortal-1', 'mortal-2'];
export const users = ['u', 'v'];

/** A call of `turn`, as its caller was told of it. */
export interface TurnMade {
  readonly id: string;
  /** What it writes begins with this. */
  readonly mark: string;
  readonly isKeyed: boolean;
  /** What its work returned, or that of an earlier one under its key; undefined where it failed. */
  readonly outcome: string | undefined;
  readonly failure: string | undefined;
}

export interface CallerOptions {
  readonly random: () => number;
  readonly instances: readonly SessionManager[];
  readonly beats: Beats;
  /** Its own: no other caller's names begin with it. */
  readonly name: string;
  /** All calls of `turn`, of all callers. */
  readonly turns: TurnMade[];
}

/** What the work of a turn throws by itself. */
class WorkFailedError extends Error {
  override name = 'WorkFailed';
}

class LeftError extends Error {
  override name = 'Left';
}

const repeats = 4;

/** One of several that call at once, with calls of all kinds. */
export class Caller {
  readonly #options: CallerOptions;
  #serial = 0;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async make(calls: number): Promise<void> {
    for (let made = 0; made < calls; made += 1) {
      await this.#next();
      if (this.#maybe(0.7)) await this.#sleep(this.#pick([1, 1, 1, 300, 1_000, 3_000]));
    }
  }

  #next(): Promise<unknown> {
    const id = this.#pick([...lasting, ...lasting, ...mortal]);
    return this.#pick([
      () => this.#keyedTurn(),
      () => this.#keyedTurn(),
      () => this.#turn(id),
      () => this.#turn(id),
      () => this.#turn(id),
      () => this.#stalledTurn(id),
      () => this.#outside(id),
      () => this.#outside(id),
      () => this.#outside(id),
      () => this.#replace(),
      () => this.#rotate(),
      () => this.#create(this.#pick(mortal)),
      () => this.#end(this.#pick(mortal)),
      () => this.#read(id),
      () => this.#read(id),
    ])();
  }

  /** A message that several callers send, each of them until it is answered. */
  async #keyedTurn(): Promise<void> {
    const id = this.#pick(lasting);
    const mark = `keyed-${id}-${Math.floor(this.#options.random() * 8)}`;
    for (let attempt = 0; attempt < repeats; attempt += 1) {
      if (await this.#madeTurn(id, mark, mark)) return;
      await this.#sleep(1);
    }
  }

  #turn(id: string): Promise<boolean> {
    return this.#madeTurn(id, this.#name('turn'), undefined);
  }

  async #madeTurn(id: string, mark: string, idempotencyKey: string | undefined): Promise<boolean> {
    const leaving = new AbortController();
    const isLeaving = this.#maybe(0.1);
    if (isLeaving) void this.#sleep(500).then(() => leaving.abort(new LeftError()));
    const told = { id, mark, isKeyed: idempotencyKey !== undefined };
    try {
      const outcome = await this.#instance().turn(
        id,
        {
          idempotencyKey,
          onBusy: this.#pick(['wait', 'wait', 'wait', 'reject', 'interrupt'] as const),
          waitSeconds: this.#pick([3, 20, 60]),
          maxSeconds: this.#pick([2, 30]),
          signal: isLeaving ? leaving.signal : undefined,
        },
        (turn) => this.#work(turn, mark),
      );
      this.#options.turns.push({ ...told, outcome, failure: undefined });
      return true;
    } catch (error) {
      this.#options.turns.push({ ...told, outcome: undefined, failure: codeOf(error) });
      return false;
    }
  }

  async #work(turn: Turn, mark: string): Promise<string> {
    const run = this.#name('run');
    turn.append({ role: 'user', content: `${mark} asks` });
    turn.increment('messageCount');
    if (this.#maybe(0.3)) turn.emit({ type: 'text', text: `${run} thinks` });
    if (this.#maybe(0.6)) await this.#sleep(this.#pick([1, 1, 500, 2_500]));
    if (this.#maybe(0.3)) await turn.checkpoint();
    if (this.#maybe(0.3)) turn.emit({ type: 'text', text: `${run} speaks` });
    turn.append({ role: 'assistant', content: `${mark} is answered` });
    turn.update({ metadata: { [mark]: run } });
    turn.increment('answers');
    if (this.#maybe(0.1)) throw new WorkFailedError();
    if (this.#maybe(0.2)) await this.#sleep(this.#pick([1, 4_000]));
    return run;
  }

  /** One that nobody renews, and that may come back late or not at all. */
  async #stalledTurn(id: string): Promise<void> {
    const { store } = this.#instance();
    const mark = this.#name('stalled');
    await this.#settled(async () => {
      const begun = await store.begin(id, {
        nonce: this.#name('begin'),
        leaseMs: 1_000,
        onBusy: this.#pick(['wait', 'interrupt']),
        waitMs: this.#pick([2_500, 30_000]),
        onLost: this.#maybe(0.5) ? () => {} : undefined,
      });
      if (begun.kind !== 'granted' || this.#maybe(0.2)) return;
      await this.#sleep(this.#pick([1, 500, 1_000, 3_000]));
      const messages = [prepareMessage({ role: 'user', content: `${mark} asks` })];
      const changes = { nonce: this.#name('commit'), messages };
      const end = { keep: false, outcome: undefined } as const;
      await this.#known((on) => on.commit(begun.lease, changes, end));
    });
  }

  #outside(id: string): Promise<void> {
    const nonce = this.#name('write');
    const { random } = this.#options;
    const write = this.#pick<(store: SessionStore) => Promise<unknown>>([
      (store) => store.incrementCounter(id, this.#pickFixed(nonce), 1, { nonce }),
      (store) => store.incrementCounter(id, this.#pickFixed(nonce), 1, { nonce }),
      (store) => store.update(id, { metadata: { [nonce]: 1 } }, { nonce }),
      (store) => store.update(id, { metadata: { [nonce]: 1 } }, { nonce }),
      (store) => {
        const content = `${nonce} says`;
        return store.appendMessages(id, [{ role: 'operator', content }], { nonce });
      },
    ]);
    const status = random() < 0.5 ? 'handed_over' : 'active';
    return this.#settled(async () => {
      await this.#known(write);
      if (this.#maybe(0.2))
        await this.#instance().store.update(id, { status }, { nonce: `${nonce}-s` });
      if (this.#maybe(0.2)) await this.#instance().store.touch(id);
    });
  }

  #pickFixed(nonce: string): string {
    return nonce.length % 2 === 0 ? 'clicks' : 'looks';
  }

  async #replace(): Promise<void> {
    await this.#settled(async () => {
      const found = await this.#instance().store.get(replaced, { fresh: this.#maybe(0.5) });
      if (found === null) return;
      const name = this.#name('set');
      const data = { threadId: found.threadId, metadata: { by: name } };
      const options = { ifVersion: found.version, nonce: name };
      await this.#known((on) => on.set(replaced, data, options));
    });
  }

  async #rotate(): Promise<void> {
    const id = this.#pick(lasting);
    await this.#settled(async () => {
      const stored = await this.#instance().store.getWithCredentials(id);
      if (stored === null) return;
      const { tokenHash: ifTokenHash } = stored.credentials;
      const tokenHash = this.#name('token');
      const credentials = { tokenHash, authenticatedAt: 1, clientBinding: null };
      const options = { nonce: tokenHash, ifTokenHash };
      await this.#known((on) => on.setCredentials(id, credentials, options));
    });
  }

  #create(id: string): Promise<void> {
    const init = () => ({
      userId: this.#pick([null, ...users]),
      threadId: this.#name('session'),
      status: this.#pick(['active', 'handed_over'] as const),
    });
    return this.#settled(async () => {
      const { store } = this.#instance();
      if (this.#maybe(0.1)) {
        await store.setBatch(mortal.map((each) => ({ id: each, data: init() })));
        return;
      }
      const [nonce, data, isSet] = [this.#name('create'), init(), this.#maybe(0.3)];
      await this.#known((on) =>
        isSet ? on.set(id, data, { nonce }) : on.create(id, data, { nonce }),
      );
    });
  }

  /** A session ends, and often another one begins in its place. */
  #end(id: string): Promise<void> {
    return this.#settled(async () => {
      const { store } = this.#instance();
      await this.#pick<() => Promise<unknown>>([
        () => store.delete(id),
        () => store.delete(id),
        () => store.delete(id),
        () => store.deleteBatch(mortal),
        () => store.deleteUser(this.#pick(users)),
      ])();
      if (this.#maybe(0.6)) await this.#create(id);
    });
  }

  #read(id: string): Promise<void> {
    const { store } = this.#instance();
    return this.#settled(() =>
      this.#pick<() => Promise<unknown>>([
        () => store.get(id),
        () => store.get(id, { fresh: true }),
        () => store.getBatch([...lasting, ...mortal], { fresh: this.#maybe(0.5) }),
        () => store.messages(id),
        () => store.exists(id),
        () => store.listActive(),
        () => store.cleanupExpired(),
      ])(),
    );
  }

  /** What it fails with is in the history. */
  async #settled(calls: () => Promise<unknown>): Promise<void> {
    await calls().catch(() => {});
  }

  /** Makes a call again under its nonce, on whichever instance, as long as its outcome is unknown; not always. */
  async #known(call: (store: SessionStore) => Promise<unknown>): Promise<void> {
    for (let left = repeats; ; left -= 1) {
      try {
        await call(this.#instance().store);
        return;
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || left === 0 || this.#maybe(0.3)) throw error;
      }
      if (this.#maybe(0.5)) await this.#sleep(1);
    }
  }

  /** Any of them, as a load balancer has it. */
  #instance(): SessionManager {
    return this.#pick(this.#options.instances);
  }

  #sleep(ms: number): Promise<void> {
    return this.#options.beats.sleep(ms);
  }

  #name(what: string): string {
    this.#serial += 1;
    return `${what}-${this.#options.name}-${this.#serial}`;
  }

  #maybe(chance: number): boolean {
    return this.#options.random() < chance;
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#options.random() * values.length)] as Value;
  }
}
