import type { JsonObject } from '../../../packages/holdfast/src/lib/json/json-value.ts';
import { prepareMessage } from '../../../packages/holdfast/src/lib/model/message.ts';
import type {
  SessionCredentials,
  SessionStatus,
} from '../../../packages/holdfast/src/lib/model/session.ts';
import { parsePatch } from '../../../packages/holdfast/src/lib/model/state.ts';
import { prepareOutput } from '../../../packages/holdfast/src/lib/model/turn-event.ts';
import type { SessionStore } from '../../../packages/holdfast/src/lib/store/session-store.ts';
import type {
  BeginOptions,
  Lease,
  TurnChanges,
  TurnEnd,
} from '../../../packages/holdfast/src/lib/store/turn-store.ts';

/** What a call is made on: a store, and the leases that its driver has granted so far, by number. */
export interface Side {
  readonly store: SessionStore;
  readonly leases: Map<number, Lease>;
}

/** One call, with all that it is given: made on two drivers, it must be answered alike. */
export interface Call {
  readonly text: string;
  /** How much time passes with it, in ms. */
  readonly passes: number;
  /** Whether its outcome may be asked for again, under the nonce that it has. */
  readonly isRepeatable: boolean;
  run(side: Side): Promise<unknown>;
}

export interface RandomCallsOptions {
  readonly random: () => number;
  /** Of all turns: how long their leases last, in ms. */
  readonly leaseMs: number;
  readonly locking: boolean;
}

const ids = ['a', 'b', 'c'];
const users = ['u', 'v'];
const statuses: readonly SessionStatus[] = ['active', 'handed_over', 'closed'];
const tokens = ['t1', 't2', null];
const passingMs = [1, 10, 500, 1_999, 2_000, 5_000, 30_000, 59_999, 60_000];

type Kind = keyof RandomCalls['kinds'];

/** Calls of all kinds on a handful of sessions, so that they meet. */
export class RandomCalls {
  readonly #options: RandomCallsOptions;
  #serial = 0;
  /** Leases that were given up. */
  readonly #over = new Set<number>();
  readonly #weights: readonly Kind[];

  /** How often each kind comes. */
  readonly kinds = {
    create: 3,
    read: 4,
    set: 1,
    update: 2,
    increment: 1,
    append: 1,
    touch: 1,
    credentials: 1,
    delete: 1,
    deleteSeveral: 1,
    begin: 4,
    renew: 1,
    commit: 3,
    release: 1,
    emit: 1,
    pass: 2,
    list: 2,
    hit: 1,
  };

  constructor(options: RandomCallsOptions) {
    this.#options = options;
    this.#weights = Object.entries(this.kinds).flatMap(([kind, weight]) =>
      new Array<Kind>(weight).fill(kind as Kind),
    );
  }

  /** @param leases those that both drivers have granted */
  next(leases: readonly number[]): Call {
    const kind = this.#pick(this.#weights);
    const open = leases.filter((lease) => !this.#over.has(lease));
    const lease = this.#maybe(0.8) ? open.at(-1) : this.#pick(open);
    return lease === undefined || !isOfTurn(kind) ? this.#outside(kind) : this.#inTurn(kind, lease);
  }

  #outside(kind: Kind): Call {
    const id = this.#pick(ids);
    const nonce = this.#name('w');
    switch (kind) {
      case 'create': {
        const init = this.#init();
        const credentials = this.#maybe(0.4) ? this.#credentials() : undefined;
        const given = { id, init, credentials, nonce };
        return write('create', given, ({ store }) =>
          store.create(id, init, { credentials, nonce }),
        );
      }
      case 'set': {
        const init = this.#init();
        const options = { nonce, ifVersion: this.#maybe(0.7) ? this.#below(5) : undefined };
        return write('set', { id, init, options }, ({ store }) => store.set(id, init, options));
      }
      case 'update': {
        const patch = this.#patch();
        const options = { nonce, ifVersion: this.#maybe(0.2) ? this.#below(5) : undefined };
        const given = { id, patch, options };
        return write('update', given, ({ store }) => store.update(id, patch, options));
      }
      case 'increment': {
        const [name, by] = [this.#pick(['n', 'messageCount']), this.#pick([1, 2, -1])];
        const given = { id, name, by, nonce };
        return write('increment', given, ({ store }) =>
          store.incrementCounter(id, name, by, { nonce }),
        );
      }
      case 'append': {
        const messages = this.#messages();
        const options = { nonce, ifOpen: this.#maybe(0.4) };
        const given = { id, messages, options };
        return write('append', given, ({ store }) => store.appendMessages(id, messages, options));
      }
      case 'credentials': {
        const credentials = this.#credentials();
        const ifTokenHash = this.#maybe(0.5) ? this.#pick(tokens) : undefined;
        const options = { nonce, ifTokenHash };
        const given = { id, credentials, options };
        return write('setCredentials', given, ({ store }) =>
          store.setCredentials(id, credentials, options),
        );
      }
      case 'begin':
        return this.#begin(id);
      case 'touch':
        return call('touch', { id }, ({ store }) => store.touch(id));
      case 'delete':
        return call('delete', { id }, ({ store }) => store.delete(id));
      case 'deleteSeveral': {
        const user = this.#pick(users);
        const except = this.#pick([undefined, id]);
        return this.#maybe(0.5)
          ? call('deleteUser', { user, except }, ({ store }) => store.deleteUser(user, { except }))
          : call('deleteBatch', { ids: ['a', id] }, ({ store }) => store.deleteBatch(['a', id]));
      }
      case 'list':
        return this.#list();
      case 'hit': {
        const key = this.#pick(['h', 'i']);
        return call('hit', { key }, ({ store }) => store.hit(key, 5_000));
      }
      case 'pass': {
        const ms = this.#pick(passingMs);
        return { ...call('time passes', { ms }, async () => null), passes: ms };
      }
      default:
        return this.#read(id);
    }
  }

  #read(id: string): Call {
    switch (this.#below(6)) {
      case 1:
        return call('get', { id }, ({ store }) => store.get(id, { fresh: true }));
      case 2: {
        const tokenHash = this.#pick([undefined, 't1', 't2']);
        return call('getWithCredentials', { id, tokenHash }, ({ store }) =>
          store.getWithCredentials(id, { tokenHash }),
        );
      }
      case 3:
        return call('exists', { id }, ({ store }) => store.exists(id));
      case 4:
        return call('getBatch', { ids }, async ({ store }) => [
          ...(await store.getBatch(ids, { fresh: true })),
        ]);
      default: {
        const place = this.#pick([{}, { before: this.#below(8) }, { after: this.#below(8) }]);
        const options = { limit: this.#pick([undefined, 1, 3]), ...place };
        return call('messages', { id, options }, ({ store }) => store.messages(id, options));
      }
    }
  }

  #list(): Call {
    if (this.#maybe(0.2)) return call('countActive', {}, ({ store }) => store.countActive());
    if (this.#maybe(0.2)) {
      // How much is left for it depends on what the driver has removed by itself.
      return call('cleanupExpired', {}, async ({ store }) => void (await store.cleanupExpired()));
    }
    const options = {
      userId: this.#maybe(0.4) ? this.#pick(users) : undefined,
      status: this.#maybe(0.4) ? this.#pick(statuses) : undefined,
    };
    return call('listActive', options, async ({ store }) => {
      const { sessions, ...others } = await store.listActive(options);
      return { sessions: [...sessions].sort((a, b) => (a.id < b.id ? -1 : 1)), ...others };
    });
  }

  #begin(id: string): Call {
    const { locking, leaseMs } = this.#options;
    const number = this.#serial;
    const key = this.#pick(['k1', 'k2', 'k3']);
    const options: BeginOptions = {
      nonce: this.#name('b'),
      leaseMs,
      onBusy: this.#pick(['wait', 'wait', 'reject', 'interrupt']),
      waitMs: this.#pick([1_000, 40_000]),
      userId: this.#maybe(0.2) ? this.#pick(users) : undefined,
      tokenHash: this.#maybe(0.1) ? this.#pick(['t1', 't2']) : undefined,
      // Without leases a begin on Redis only reads, and leaves no attempt behind.
      idempotency:
        locking && this.#maybe(0.5)
          ? { key, requestDigest: this.#pick(['d1', 'd1', 'd1', 'd2']) }
          : undefined,
    };
    return write(`begin #${number}`, { id, options }, async ({ store, leases }) => {
      const begun = await store.begin(id, { ...options, onLost: () => {} });
      if (begun.kind === 'replayed') return begun;
      const { lease, grantedAt: _, ...grant } = begun;
      leases.set(number, lease);
      return { ...grant, until: lease.expiresAt };
    });
  }

  #inTurn(kind: Kind, number: number): Call {
    const output = [prepareOutput({ type: 'text', text: this.#name('o') })];
    const nonce = this.#name('w');
    const name = `${kind} #${number}`;
    switch (kind) {
      case 'renew': {
        const { leaseMs } = this.#options;
        return call(name, {}, async (side) => {
          const lease = await side.store.renew(leaseOf(side, number), leaseMs);
          side.leases.set(number, lease);
          return lease.expiresAt;
        });
      }
      case 'emit':
        return write(name, { output, nonce }, (side) =>
          side.store.emit(leaseOf(side, number), output, nonce),
        );
      case 'release':
        this.#over.add(number);
        return call(name, { output }, (side) => side.store.release(leaseOf(side, number), output));
      default:
        return this.#commit(name, number, this.#maybe(0.5) ? { nonce, output } : { nonce });
    }
  }

  #commit(name: string, number: number, given: TurnChanges): Call {
    const keep = this.#maybe(0.4);
    const { leaseMs } = this.#options;
    const end: TurnEnd = keep ? { keep, leaseMs } : { keep, outcome: this.#pick([undefined, 1]) };
    const changes: TurnChanges = {
      ...given,
      ...(this.#maybe(0.6) ? { messages: this.#messages().map(prepareMessage) } : {}),
      ...(this.#maybe(0.6) ? { patches: [parsePatch(this.#patch())] } : {}),
      ...(this.#maybe(0.4) ? { increments: new Map([['messageCount', 1]]) } : {}),
      ...(keep && this.#maybe(0.5) ? { effects: [`m:${this.#name('e')}`] } : {}),
    };
    const { increments, ...others } = changes;
    return write(name, { ...others, end, counts: increments !== undefined }, async (side) => {
      const committed = await side.store.commit(leaseOf(side, number), changes, end);
      const { session, state, messages, lastSeq, lease } = committed;
      if (lease !== null) side.leases.set(number, lease);
      return { session, state, messages, lastSeq, isOver: lease === null };
    });
  }

  #init() {
    return {
      userId: this.#pick([undefined, null, ...users]),
      threadId: this.#pick(['x', 'y']),
      status: this.#pick(['active', ...statuses] as const),
      escalated: this.#maybe(0.2),
      metadata: { k: this.#below(5) },
      counters: this.#maybe(0.3) ? { n: 3 } : undefined,
    };
  }

  #patch() {
    const metadata: readonly JsonObject[] = [{ k: 1 }, { z: { q: 1 } }, { k: null }];
    return {
      ...(this.#maybe(0.5) ? { metadata: this.#pick(metadata) } : {}),
      ...(this.#maybe(0.3) ? { status: this.#pick(statuses) } : {}),
      ...(this.#maybe(0.3) ? { escalated: this.#maybe(0.5) } : {}),
      ...(this.#maybe(0.3) ? { userId: this.#pick([null, ...users]) } : {}),
    };
  }

  #credentials(): SessionCredentials {
    return { tokenHash: this.#pick(tokens), authenticatedAt: 5, clientBinding: null };
  }

  #messages() {
    const count = this.#below(4);
    return Array.from({ length: count }, () => {
      const id = this.#name('m');
      return { id, role: 'user', content: `says ${id}` } as const;
    });
  }

  #name(letter: string): string {
    this.#serial += 1;
    return `${letter}${this.#serial}`;
  }

  #maybe(chance: number): boolean {
    return this.#options.random() < chance;
  }

  /** From 1. */
  #below(limit: number): number {
    return 1 + Math.floor(this.#options.random() * (limit - 1));
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#options.random() * values.length)] as Value;
  }
}

function isOfTurn(kind: Kind): boolean {
  return ['renew', 'commit', 'release', 'emit'].includes(kind);
}

function leaseOf({ leases }: Side, number: number): Lease {
  const lease = leases.get(number);
  if (lease === undefined) throw new Error(`There is no lease #${number}.`);
  return lease;
}

function call(name: string, given: object, run: Call['run']): Call {
  return { text: `${name} ${JSON.stringify(given)}`, passes: 0, isRepeatable: false, run };
}

function write(name: string, given: object, run: Call['run']): Call {
  return { ...call(name, given, run), isRepeatable: true };
}
