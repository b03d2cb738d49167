import { HoldfastError, OutcomeUnknownError } from '../../errors/errors.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { gone, leaseLost, notFound, unlessRepeated } from '../core/refusals.ts';
import { Snapshot, type StoredSnapshot } from '../known/snapshot.ts';
import { formatCounters, none, tokenWord, userWord } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import type { Reservation, UserIndex } from '../sessions/user-index.ts';
import type { WriteOrder } from './write-order.ts';
import { tokenConflict, versionConflict } from './write-refusal.ts';

/** A write as the script takes it. */
export interface Prepared<Metadata extends object> {
  readonly args: readonly RedisArgument[];
  /** What the write makes of the session's values; `null` when it leaves them. */
  readonly snapshot: Snapshot<Metadata> | null;
  readonly base: StoredSnapshot<Metadata> | null;
  /** Its place with the new user, when the session gets another one. */
  readonly reservation: Reservation | null;
}

/** Makes of an order, and of what is known of the session, the arguments of the script. */
export class WritePreparation<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>) {
    this.#core = core;
    this.#users = users;
  }

  async prepare(
    id: string,
    order: WriteOrder,
    name: string,
    base: StoredSnapshot<Metadata> | null,
  ): Promise<Prepared<Metadata>> {
    const { lease, keepMs } = order;
    const { idleTimeoutMs, maxMessages, locking } = this.#core.options;
    const args: RedisArgument[] = [
      ...this.#core.calls.common(id),
      name,
      lease?.incarnation ?? none,
      lease === undefined || !locking ? none : word(lease.nonce),
      lease === undefined ? (order.firstTriedIn ?? none) : String(lease.fence),
      lease === undefined ? none : keepMs === undefined ? 'end' : 'keep',
      String(keepMs ?? 0),
      String(order.ifVersion ?? lease?.ifVersion ?? none),
      String(idleTimeoutMs),
      String(maxMessages),
      firstTry(order, order.firstTriedAt),
    ];
    if (order.ifOpen === true) args.push('open');
    const snapshot = this.#values(id, order, name, base, args);
    const reservation = snapshot && base ? await this.#enterUser(id, order, base, snapshot) : null;
    if (order.counters !== undefined) args.push('counters', formatCounters(order.counters));
    if (order.increments !== undefined && order.increments.size > 0) {
      args.push('add', formatCounters(order.increments));
    }
    if (order.messages !== undefined && order.messages.length > 0) {
      const lastSeq = base?.header.lastSeq ?? 0;
      const place = { sessionId: id, incarnation: base?.header.incarnation ?? none };
      args.push(
        'messages',
        base === null ? none : `${base.header.incarnation}:${lastSeq}`,
        ...this.#core.records.messages(order.messages, lastSeq + 1, place),
      );
    }
    if (order.sections !== undefined) args.push(...order.sections);
    return { args, snapshot, base, reservation };
  }

  /** Adds new state and credentials to the arguments; the values that the session then has. */
  #values(
    id: string,
    { state: change, credentials, ifTokenHash, lease }: WriteOrder,
    name: string,
    base: StoredSnapshot<Metadata> | null,
    args: RedisArgument[],
  ): Snapshot<Metadata> | null {
    if (change === undefined && credentials === undefined) return null;
    if (base === null) {
      // Nothing is known to make it of: asks for that, and changes nothing.
      args.push('state', none, 'active', none, '');
      return null;
    }
    const { header, snapshot } = base;
    const { records, codec } = this.#core;
    const place = { sessionId: id, incarnation: header.incarnation };
    let { state } = snapshot;
    if (change !== undefined) {
      state = change(snapshot.state);
      if (lease !== undefined && state.metadata !== snapshot.state.metadata) {
        this.#core.options.readMetadata(state.metadata);
      }
      const user = state.userId === null ? null : codec.userNames(state.userId)[0];
      const position = header.stateVersion + 1;
      const text = records.state(state, { ...place, position }, header);
      args.push('state', snapshot.etag, state.status, userWord(user), text);
    }
    if (credentials !== undefined) {
      const position = header.credentialsVersion + 1;
      const text = records.credentials(credentials, { ...place, position });
      const expected = ifTokenHash === undefined ? '*' : tokenWord(ifTokenHash);
      args.push('credentials', snapshot.etag, expected, tokenWord(credentials.tokenHash), text);
    }
    const etag = `${name}.${header.incarnation}`;
    const after = new Snapshot<Metadata>(etag, state, credentials ?? snapshot.credentials);
    // Whoever writes from outside of a turn is shown the session: what cannot be shown is not written.
    if (lease === undefined) after.metadata(this.#core.options.readMetadata);
    return after;
  }

  /** The session of another user enters that one's index first. @throws SessionLimitError */
  async #enterUser(
    id: string,
    order: WriteOrder,
    base: StoredSnapshot<Metadata>,
    { state }: Snapshot<Metadata>,
  ): Promise<Reservation | null> {
    if (state.userId === null || state.userId === base.snapshot.state.userId) return null;
    this.#core.clearIds?.check(id, state.userId);
    const { nonce } = order;
    const mayStay = () => this.#assertWritable(id, order);
    return this.#users.enter(state.userId, id, { nonce, mayStay });
  }

  /**
   * A write of unknown outcome, for its repetition: of its place nothing may be left, as nobody has confirmed it.
   * @throws OutcomeUnknownError when it gets none
   */
  async renewed(
    id: string,
    order: WriteOrder,
    prepared: Prepared<Metadata>,
  ): Promise<Prepared<Metadata>> {
    const { base, reservation, snapshot } = prepared;
    if (base === null || reservation === null || snapshot === null) return prepared;
    try {
      return { ...prepared, reservation: await this.#enterUser(id, order, base, snapshot) };
    } catch (error) {
      if (!(error instanceof HoldfastError) || error instanceof OutcomeUnknownError) throw error;
      throw unlessRepeated({ repeated: true }, order.nonce, error);
    }
  }

  /** What is certain to be refused must not make room for itself first. */
  async #assertWritable(id: string, { lease, ifVersion, ifTokenHash }: WriteOrder): Promise<void> {
    const stored = await this.#core.stored.read(id);
    if (stored === null) throw lease === undefined ? notFound(id) : gone(id);
    const { version, incarnation, owner, fence, tokenHash } = stored.header;
    if (lease !== undefined && lease.incarnation !== incarnation) throw gone(id);
    if (lease !== undefined && this.#core.options.locking) {
      if (owner !== word(lease.nonce) || fence !== lease.fence) throw leaseLost(id);
    }
    const expected = ifVersion ?? lease?.ifVersion ?? version;
    if (expected !== version) throw versionConflict(id, version, expected);
    if (ifTokenHash !== undefined && ifTokenHash !== tokenHash) throw tokenConflict(id);
  }

  /** A write that was refused needs no place in the new user's index. */
  async leaveUser(id: string, { reservation, snapshot }: Prepared<Metadata>): Promise<void> {
    const userId = snapshot?.state.userId;
    if (reservation === null || userId === null || userId === undefined) return;
    await this.#users.settle(userId, id, reservation);
  }
}

/** Where the version before the first try stands in the arguments, and its incarnation. */
const firstTryAt = 12;
const firstTryInAt = 6;

function firstTry({ mayRepeat, lease }: WriteOrder, version: number | undefined): string {
  if (version === undefined) return none;
  return lease === undefined && mayRepeat !== false ? `?${version}` : String(version);
}

/** The same, where the write is tried for the first time now. */
export function withFirstTry<Metadata extends object>(
  prepared: Prepared<Metadata>,
  order: WriteOrder,
  version: number,
  incarnation: string,
): Prepared<Metadata> {
  const args = prepared.args.with(firstTryAt, firstTry(order, version));
  return {
    ...prepared,
    args: order.lease === undefined ? args.with(firstTryInAt, incarnation) : args,
  };
}
