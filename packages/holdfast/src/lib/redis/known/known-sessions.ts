import { type Header, none } from '../layout/header.ts';
import type { SessionKeys } from '../layout/keys.ts';
import { type Aging, AgingCache } from './aging.ts';
import type { Snapshot } from './snapshot.ts';

/** What this process knows of a session. Redis says whether it is still true, by the etag. */
export interface KnownSession<Metadata extends object> {
  readonly keys: SessionKeys;
  snapshot: Snapshot<Metadata> | null;
  header: Header | null;
  /** Under way here, by their nonces. Empty where values are kept anyway. */
  readonly turns: Set<string>;
  /** The newest change of its bucket that was told to be its own, in an epoch of the bucket's news. */
  changed: { readonly epoch: number; readonly count: number } | null;
}

export interface KnownSessionsOptions {
  /** The most sessions of which something is known. */
  readonly size: number;
  /** Whether values outlast the turns that they were read for. */
  readonly keepsValues: boolean;
}

/** The sessions that were asked about of late, for what need not be sent and decoded again. */
export class KnownSessions<Metadata extends object> {
  readonly #sessions: AgingCache<KnownSession<Metadata>>;
  readonly #keepsValues: boolean;
  readonly #keysOf: (id: string) => SessionKeys;

  constructor(
    { size, keepsValues }: KnownSessionsOptions,
    keysOf: (id: string) => SessionKeys,
    aging: Aging,
  ) {
    this.#sessions = new AgingCache(size, aging);
    this.#keepsValues = keepsValues;
    this.#keysOf = keysOf;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** As it is now, `undefined` when nothing is. */
  peek(id: string): KnownSession<Metadata> | undefined {
    return this.#sessions.peek(id);
  }

  of(id: string): KnownSession<Metadata> {
    const known = this.#sessions.get(id);
    if (known !== undefined) {
      this.#sessions.renew(id);
      return known;
    }
    const fresh = {
      ...{ keys: this.#keysOf(id), snapshot: null, header: null, changed: null },
      turns: new Set<string>(),
    };
    this.#sessions.set(id, fresh);
    return fresh;
  }

  /** Values that are now the session's. */
  learn(known: KnownSession<Metadata>, snapshot: Snapshot<Metadata>): void {
    if (this.#keepsValues || known.turns.size > 0) known.snapshot = snapshot;
  }

  /** The turn goes on from these values, which are therefore kept until it ends, or so many others need room. */
  turnBegan(id: string, nonce: string, snapshot: Snapshot<Metadata>): void {
    if (this.#keepsValues) return;
    const known = this.of(id);
    known.turns.add(nonce);
    known.snapshot = snapshot;
  }

  turnEnded(id: string, nonce: string): void {
    const known = this.peek(id);
    if (known?.turns.delete(nonce) && known.turns.size === 0) known.snapshot = null;
  }

  /** The session of this incarnation has ended; `none` stands for any. */
  ended(id: string, incarnation: string): void {
    const known = this.#sessions.peek(id)?.header?.incarnation ?? incarnation;
    if (incarnation === none || known === incarnation) this.#sessions.delete(id);
  }

  forget(id: string): void {
    this.#sessions.delete(id);
  }
}
