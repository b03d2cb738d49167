import type { JsonObject } from '../json/json-value.ts';
import { randomId } from '../model/ids.ts';
import { isShareable, type MetadataReader } from '../model/metadata.ts';
import {
  noCredentials,
  type Session,
  type SessionCredentials,
  type SessionState,
} from '../model/session.ts';
import type { BeginOptions, TurnGrant, TurnReplay } from '../store/turn-store.ts';
import type { History } from './history.ts';
import type { Linked } from './linked-list.ts';
import type { LiveStream } from './live-stream.ts';
import type { OutcomeLedger } from './outcome-ledger.ts';
import type { IndexEntry } from './paged-index.ts';
import { RecentWrites } from './recent-writes.ts';
import type { WaitQueue } from './wait-queue.ts';

/** What `begin` gives. */
export type Begun<Metadata extends object> = TurnGrant<Metadata> | TurnReplay<Metadata>;

/** The lease as the store knows it: what a caller's `Lease` must match. */
export interface HeldLease<Metadata extends object> {
  readonly nonce: string;
  readonly fence: number;
  until: number;
  /** An interrupter waits: the holder may commit once more, and not renew. */
  interrupted: boolean;
  readonly idempotencyKey: string | undefined;
  readonly onLost: BeginOptions['onLost'];
  /** The answer to `begin`, for a holder that asks again because it never got it. */
  grant: TurnGrant<Metadata> | null;
}

const noCounters: ReadonlyMap<string, number> = new Map();

/** All that the store keeps of one session. Its parts exist from their first use on. */
export class SessionRecord<Metadata extends object = JsonObject>
  implements Linked<SessionRecord<Metadata>>
{
  readonly id: string;
  /** Random: a later session of the same id is another one. */
  readonly incarnation = randomId();
  readonly createdAt: number;
  readonly absoluteExpiresAt: number;
  state: SessionState;
  counters: ReadonlyMap<string, number> = noCounters;
  credentials: SessionCredentials = noCredentials;
  version = 1;
  updatedAt: number;
  lastActivity: number;
  expiresAt: number;

  lease: HeldLease<Metadata> | null = null;
  /** Fences of the last turns that were interrupted: their holders learn why they are refused. */
  interruptedFences: readonly number[] = [];
  queue: WaitQueue | null = null;
  history: History | null = null;
  outcomes: OutcomeLedger | null = null;
  live: LiveStream | null = null;
  cancelLeaseTimer: (() => void) | null = null;
  /** Set when the record leaves the table; a record never comes back. */
  removed = false;

  previous: SessionRecord<Metadata> | null = null;
  next: SessionRecord<Metadata> | null = null;
  expiryBucket = -1;
  entry: IndexEntry<SessionRecord<Metadata>> | null = null;
  userEntry: IndexEntry<SessionRecord<Metadata>> | null = null;
  statusEntry: IndexEntry<SessionRecord<Metadata>> | null = null;

  /** When it expires unless a turn runs. */
  #idleExpiresAt: number;
  #writes: RecentWrites | null = null;
  #view: Session<Metadata> | null = null;
  #metadata: { readonly stored: JsonObject; readonly read: Metadata } | null = null;

  constructor(id: string, state: SessionState, now: number, limits: RecordLimits) {
    this.id = id;
    this.state = state;
    this.createdAt = now;
    this.updatedAt = now;
    this.lastActivity = now;
    this.absoluteExpiresAt = now + limits.absoluteMs;
    this.#idleExpiresAt = Math.min(now + limits.idleMs, this.absoluteExpiresAt);
    this.expiresAt = this.#idleExpiresAt;
  }

  get writes(): RecentWrites {
    this.#writes ??= new RecentWrites();
    return this.#writes;
  }

  /** The result of an earlier write of this name; `undefined` if there was none. */
  repeated<Result>(write: string | undefined): Result | undefined {
    return write === undefined ? undefined : this.#writes?.get<Result>(write);
  }

  /** The session as its readers see it: frozen, made once a version where readers can share it. */
  view(read: MetadataReader<Metadata>): Session<Metadata> {
    if (this.#view !== null) return this.#view;
    const view: Session<Metadata> = Object.freeze({
      id: this.id,
      userId: this.state.userId,
      threadId: this.state.threadId,
      status: this.state.status,
      escalated: this.state.escalated,
      messageCount: this.counters.get('messageCount') ?? 0,
      counters: Object.freeze(Object.fromEntries(this.counters)),
      metadata: this.#readMetadata(read),
      createdAt: this.createdAt,
      updatedAt: this.updatedAt,
      lastActivity: this.lastActivity,
      expiresAt: this.expiresAt,
      version: this.version,
    });
    if (isShareable(view.metadata)) this.#view = view;
    return view;
  }

  /** Records a write at `now`: a new version, and activity. The caller has put the changes in. */
  written(now: number, idleMs: number): void {
    this.version += 1;
    this.updatedAt = now;
    this.touched(now, idleMs);
  }

  /** Records activity at `now`. */
  touched(now: number, idleMs: number): void {
    this.lastActivity = now;
    this.#idleExpiresAt = Math.min(now + idleMs, this.absoluteExpiresAt);
    this.expiresAt = this.#idleExpiresAt;
    this.#view = null;
    if (this.lease !== null) this.heldUntil(this.lease.until);
  }

  /** The turn has ended: from now on the idle timeout counts again, from the last activity. */
  turnEnded(): void {
    if (this.expiresAt === this.#idleExpiresAt) return;
    this.expiresAt = this.#idleExpiresAt;
    this.#view = null;
  }

  /** A lease until `until` holds off the idle timeout, not the absolute one. */
  heldUntil(until: number): void {
    const expiresAt = Math.min(until, this.absoluteExpiresAt);
    if (expiresAt <= this.expiresAt) return;
    this.expiresAt = expiresAt;
    this.#view = null;
  }

  #readMetadata(read: MetadataReader<Metadata>): Metadata {
    const stored = this.state.metadata;
    if (this.#metadata?.stored === stored) return this.#metadata.read;
    const metadata = read(stored);
    if (isShareable(metadata)) this.#metadata = { stored, read: metadata };
    return metadata;
  }
}

export interface RecordLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}
