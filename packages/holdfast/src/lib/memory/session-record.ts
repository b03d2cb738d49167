import type { Codec } from '../codec/codec.ts';
import type { JsonObject } from '../json/json-value.ts';
import { randomId } from '../model/ids.ts';
import { isShareable, type MetadataReader } from '../model/metadata.ts';
import {
  noCredentials,
  type Session,
  type SessionCredentials,
  type SessionState,
  type SessionStatus,
} from '../model/session.ts';
import type { BeginOptions, TurnGrant, TurnReplay } from '../store/turn-store.ts';
import type { History } from './history.ts';
import type { Linked } from './linked-list.ts';
import type { LiveStream } from './live-stream.ts';
import type { OutcomeLedger } from './outcome-ledger.ts';
import type { IndexEntry } from './paged-index.ts';
import { RecentWrites } from './recent-writes.ts';
import { SealedValue, Sealer } from './sealer.ts';
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
  readonly sealer: Sealer | null;
  counters: ReadonlyMap<string, number> = noCounters;
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
  /** Whose index it is in, and that of which status: what cannot be read any more leaves both, too. */
  indexedUser: string | null = null;
  indexedStatus: SessionStatus = 'active';
  expiryBucket = -1;
  entry: IndexEntry<SessionRecord<Metadata>> | null = null;
  userEntry: IndexEntry<SessionRecord<Metadata>> | null = null;
  statusEntry: IndexEntry<SessionRecord<Metadata>> | null = null;

  /** When it expires unless a turn runs. */
  #idleExpiresAt: number;
  #writes: RecentWrites | null = null;
  #state: SessionState | SealedValue<SessionState>;
  #credentials: SessionCredentials | SealedValue<SessionCredentials> = noCredentials;
  #view: Session<Metadata> | null = null;
  #metadata: { readonly stored: JsonObject; readonly read: Metadata } | null = null;

  constructor(
    id: string,
    state: SessionState,
    now: number,
    { codec, ...limits }: RecordLimits & { readonly codec: Codec | null },
  ) {
    this.id = id;
    this.sealer = codec && new Sealer(codec, { sessionId: id, incarnation: this.incarnation });
    this.#state = this.sealer === null ? state : new SealedValue(this.sealer, 'state', state);
    this.createdAt = now;
    this.updatedAt = now;
    this.lastActivity = now;
    this.absoluteExpiresAt = now + limits.absoluteMs;
    this.#idleExpiresAt = Math.min(now + limits.idleMs, this.absoluteExpiresAt);
    this.expiresAt = this.#idleExpiresAt;
  }

  get state(): SessionState {
    return this.#state instanceof SealedValue ? this.#state.value : this.#state;
  }

  set state(state: SessionState) {
    if (this.#state instanceof SealedValue) this.#state.value = state;
    else this.#state = state;
  }

  get credentials(): SessionCredentials {
    return this.#credentials instanceof SealedValue ? this.#credentials.value : this.#credentials;
  }

  set credentials(credentials: SessionCredentials) {
    if (this.#credentials instanceof SealedValue) this.#credentials.value = credentials;
    else if (this.sealer === null) this.#credentials = credentials;
    else this.#credentials = new SealedValue(this.sealer, 'credentials', credentials);
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
    const { state } = this;
    const view: Session<Metadata> = Object.freeze({
      id: this.id,
      userId: state.userId,
      threadId: state.threadId,
      status: state.status,
      escalated: state.escalated,
      messageCount: this.counters.get('messageCount') ?? 0,
      counters: Object.freeze(Object.fromEntries(this.counters)),
      metadata: this.#readMetadata(state.metadata, read),
      createdAt: this.createdAt,
      updatedAt: this.updatedAt,
      lastActivity: this.lastActivity,
      expiresAt: this.expiresAt,
      version: this.version,
    });
    if (this.sealer === null && isShareable(view.metadata)) this.#view = view;
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
    const expiresAt = Math.max(this.#idleExpiresAt, Math.min(until, this.absoluteExpiresAt));
    if (expiresAt === this.expiresAt) return;
    this.expiresAt = expiresAt;
    this.#view = null;
  }

  #readMetadata(stored: JsonObject, read: MetadataReader<Metadata>): Metadata {
    if (this.#metadata?.stored === stored) return this.#metadata.read;
    const metadata = read(stored);
    if (this.sealer === null && isShareable(metadata)) this.#metadata = { stored, read: metadata };
    return metadata;
  }
}

export interface RecordLimits {
  readonly idleMs: number;
  readonly absoluteMs: number;
}
