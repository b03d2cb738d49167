import { randomId } from '../../model/ids.ts';
import type { Message, PreparedMessage } from '../../model/message.ts';
import type { SessionCredentials, SessionState } from '../../model/session.ts';
import type { WriteOptions } from '../../store/session-store.ts';
import type { Lease } from '../../store/turn-store.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import type { Snapshot, StoredSnapshot } from '../known/snapshot.ts';

/** What a write changes. Everything is checked when it is there; see `write.lua` for the rest. */
interface Changes {
  /** Made of the state that is there. @throws what refuses the write */
  readonly state?: ((state: SessionState) => SessionState) | undefined;
  readonly credentials?: SessionCredentials | undefined;
  /** Only if the token is this one now; `undefined` for any. */
  readonly ifTokenHash?: string | null | undefined;
  readonly counters?: ReadonlyMap<string, number> | undefined;
  readonly increments?: ReadonlyMap<string, number> | undefined;
  readonly messages?: readonly PreparedMessage[] | undefined;
  /** Further sections of the script's arguments, as they are. */
  readonly sections?: readonly RedisArgument[] | undefined;
}

export interface WriteOrder extends Changes {
  /** `update`, say: the same nonce in another operation is another write. */
  readonly operation: string;
  readonly nonce: string;
  /** The session's version before anybody can have used this nonce, where that is known. */
  readonly firstTriedAt?: number | undefined;
  /** The incarnation of that version; under a lease it is the lease's. */
  readonly firstTriedIn?: string | undefined;
  /** By `performance.now()`, for all that it takes. */
  readonly deadline?: number | undefined;
  /** The nonce is the caller's own, who may repeat the write under it. */
  readonly mayRepeat?: boolean | undefined;
  readonly lease?: Lease | undefined;
  /** Of a write under a lease: whether the turn goes on. */
  readonly keepMs?: number | undefined;
  readonly ifVersion?: number | undefined;
  /** Only if the session is not closed. */
  readonly ifOpen?: boolean | undefined;
}

/** What a write did. */
export interface Written<Metadata extends object> {
  /** The session after it; the snapshot is missing where the write needed none. */
  readonly after: Omit<StoredSnapshot<Metadata>, 'snapshot'> & {
    readonly snapshot: Snapshot<Metadata> | null;
  };
  readonly before: SessionState | null;
  readonly messages: readonly Message[];
  /** The lease's end; 0 when there is none any more. */
  readonly leaseUntil: number;
}

/** A write's nonce, and whether its caller knows it. */
export function named({ nonce }: WriteOptions): { nonce: string; mayRepeat: boolean } {
  return { nonce: nonce ?? randomId(), mayRepeat: nonce !== undefined };
}
