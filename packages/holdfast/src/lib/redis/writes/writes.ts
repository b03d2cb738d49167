import { OutcomeUnknownError, VersionConflictError } from '../../errors/errors.ts';
import { assertId } from '../../model/ids.ts';
import { type Message, type PreparedMessage, placeMessage } from '../../model/message.ts';
import { int, type ReplyList, text } from '../connection/reply.ts';
import type { Sent } from '../core/knowledge.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { completing, gone, notFound, unlessRepeated } from '../core/refusals.ts';
import type { Answer } from '../core/session-calls.ts';
import { AgingCache } from '../known/aging.ts';
import type { KnownSession } from '../known/known-sessions.ts';
import type { Snapshot, StoredSnapshot } from '../known/snapshot.ts';
import { parseCounters, parseHeader } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Reservation, UserIndex } from '../sessions/user-index.ts';
import { Lines } from './lines.ts';
import type { WriteOrder, Written } from './write-order.ts';
import { type Prepared, WritePreparation, withFirstTry } from './write-preparation.ts';
import { writeRefusal } from './write-refusal.ts';

const writeKeys = 11;

/** Writes of late, for those that are repeated under their nonce. */
const rememberedWrites = 1_000;

/** Writes to one session that are under way from one process. */
const writesAtOnce = 6;

/** Replies that say that the write is there. */
const madeKinds: ReadonlySet<string> = new Set(['written', 'done']);

/**
 * The one way in which a session changes. A write that depends on what is there (a state is merged, a
 * message gets the next place) names what it was made of, and is made again when that has changed.
 */
export class Writes<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;
  readonly #preparation: WritePreparation<Metadata>;
  readonly #remembered: AgingCache<Remembered<Metadata>>;
  /** Writes that depend on the state: in one process they do not conflict. */
  readonly #dependent: Lines;
  /** Others: not more than Redis remembers, with those of other processes, when all are repeated. */
  readonly #independent: Lines;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>) {
    this.#core = core;
    this.#users = users;
    this.#remembered = new AgingCache(rememberedWrites, core.known.repeats);
    this.#preparation = new WritePreparation(core, users);
    this.#dependent = new Lines(1, core.link.timeoutMs);
    this.#independent = new Lines(writesAtOnce, core.link.timeoutMs);
  }

  /** @throws SessionNotFoundError, or under a lease SessionGoneError, LeaseLostError, … */
  async write(id: string, order: WriteOrder): Promise<Written<Metadata>> {
    assertId(id, 'A session id');
    const { state, messages, credentials, lease } = order;
    const depends = state !== undefined || messages !== undefined || credentials !== undefined;
    if (lease !== undefined) {
      const deadline = performance.now() + this.#core.link.timeoutMs;
      return this.#write(id, { ...order, deadline }, depends ? this.#base(id) : null);
    }
    // It is tried for the first time when it has come to the head of its line.
    const triedNow = (deadline: number) => {
      const { header } = this.#core.known.of(id);
      const { version: firstTriedAt, incarnation: firstTriedIn } = header ?? {};
      return { ...order, firstTriedAt, firstTriedIn, deadline };
    };
    if (!depends) {
      return this.#independent.run(id, (deadline) => this.#write(id, triedNow(deadline), null));
    }
    return this.#dependent.run(id, async (deadline) => {
      const base = this.#base(id) ?? (await this.#core.stored.require(id));
      return this.#write(id, triedNow(deadline), base);
    });
  }

  #base(id: string): StoredSnapshot<Metadata> | null {
    const { header, snapshot } = this.#core.known.of(id);
    if (header === null || snapshot === null || header.etag !== snapshot.etag) return null;
    return { header, snapshot, counters: noCounters };
  }

  async #write(
    id: string,
    order: WriteOrder,
    known: StoredSnapshot<Metadata> | null,
  ): Promise<Written<Metadata>> {
    const name = `${order.operation[0]}${word(order.nonce)}`;
    const memory = `${id}\n${name}`;
    const earlier = this.#remembered.get(memory);
    const mayBeMade = earlier !== undefined && earlier.written === undefined;
    let base = known;
    let prepared = earlier?.prepared ?? (await this.#preparation.prepare(id, order, name, base));
    if (mayBeMade) prepared = await this.#preparation.renewed(id, order, prepared);
    for (;;) {
      const sent = this.#core.known.sent(id);
      const answer = await this.#call(id, order, memory, prepared);
      const { reply } = answer;
      switch (text(reply[0])) {
        case 'written': {
          const written = this.#written(id, order, prepared, answer, sent);
          await this.#complete(id, order.nonce, memory, { prepared, written });
          if (order.mayRepeat) this.#remembered.set(memory, { prepared, written });
          return written;
        }
        case 'buried':
          if (mayBeMade || answer.repeated) {
            return this.#madeBefore(id, order, prepared, { memory, line: text(reply[3]) });
          }
          // In this session the nonce is free.
          prepared = withFirstTry(prepared, order, int(reply[1]), text(reply[2]));
          break;
        case 'done': {
          if (earlier?.written !== undefined) return earlier.written;
          const line = text(reply[1]);
          if (!mayBeMade && !answer.repeated) return this.#doneElsewhere(id, order, line);
          return this.#madeBefore(id, order, prepared, { memory, line });
        }
        case 'moved':
          base = await this.#decoded(id, sent, reply);
          prepared = await this.#again(id, order, name, { base, before: prepared });
          break;
        case 'doubt':
          if (earlier?.written !== undefined) return earlier.written;
          if (mayBeMade || answer.repeated) {
            this.#remembered.set(memory, { prepared });
            throw unlessRepeated({ repeated: true }, order.nonce, forgotten(id));
          }
          // It is tried for the first time now.
          prepared = withFirstTry(prepared, order, int(reply[1]), text(reply[2]));
          break;
        default:
          await this.#preparation.leaveUser(id, prepared);
          throw writeRefusal(id, order, { reply, repeated: answer.repeated || mayBeMade });
      }
    }
  }

  /** Prepared anew, of what is there now: that may be the user's already, and then needs no place. */
  async #again(
    id: string,
    order: WriteOrder,
    name: string,
    {
      base,
      before,
    }: { readonly base: StoredSnapshot<Metadata>; readonly before: Prepared<Metadata> },
  ): Promise<Prepared<Metadata>> {
    const prepared = await this.#preparation.prepare(id, order, name, base);
    if (prepared.reservation === null) await this.#preparation.leaveUser(id, before);
    return prepared;
  }

  async #decoded(
    id: string,
    sent: Sent<Metadata>,
    reply: ReplyList,
  ): Promise<StoredSnapshot<Metadata>> {
    const decode = () => this.#core.stored.decode(id, { ...sent, snapshot: null }, reply, 3);
    try {
      return decode();
    } catch (error) {
      if (await this.#core.stored.isElsewhere(id, error)) return decode();
      throw error;
    }
  }

  async #call(
    id: string,
    { operation, nonce, deadline }: WriteOrder,
    memory: string,
    { args, ...prepared }: Prepared<Metadata>,
  ): Promise<Answer> {
    try {
      const { calls, replicas } = this.#core;
      const answer = await calls.run(scripts.write, id, writeKeys, args, nonce, deadline);
      if (madeKinds.has(text(answer.reply[0]))) {
        // A token that was replaced must not come back with a failover.
        await replicas.confirm(id, nonce, { always: operation === 'token', deadline });
      }
      return answer;
    } catch (error) {
      this.#core.known.l1?.drop(id);
      // Whoever repeats it must repeat just this, made of what was there then.
      if (error instanceof OutcomeUnknownError) {
        this.#remembered.set(memory, { prepared: { args, ...prepared } });
      }
      throw error;
    }
  }

  async #complete(
    id: string,
    nonce: string,
    memory: string,
    { prepared, written }: Required<Remembered<Metadata>>,
  ): Promise<void> {
    try {
      await completing(nonce, this.#moved(id, written, prepared.reservation));
    } catch (error) {
      if (error instanceof OutcomeUnknownError) this.#remembered.set(memory, { prepared });
      throw error;
    }
  }

  /** What follows from a write for indexes and listeners. */
  async #moved(
    id: string,
    { before, after }: Written<Metadata>,
    reservation: Reservation | null,
  ): Promise<void> {
    const state = after.snapshot?.state;
    if (state === undefined || before === null || state === before) return;
    const { userId } = state;
    if (state.escalated && !before.escalated) {
      this.#core.tell('escalated', { sessionId: id, userId });
    }
    if (state.status !== before.status) {
      this.#core.events.emit('status', { sessionId: id, userId, status: state.status });
    }
    if (userId === before.userId) return;
    if (userId !== null && reservation !== null) {
      const why = await this.#users.confirm(userId, id, reservation);
      if (why !== null) {
        await this.#users.endSession(id, after.header.incarnation, why);
        await this.#users.settle(userId, id, reservation);
      }
    }
    if (before.userId !== null) await this.#users.leaveIfPossible(before.userId, id);
  }

  #written(
    id: string,
    order: WriteOrder,
    prepared: Prepared<Metadata>,
    { reply }: Answer,
    sent: Sent<Metadata>,
  ): Written<Metadata> {
    const now = int(reply[1]);
    const header = parseHeader(text(reply[3]));
    const counters = parseCounters(text(reply[4]));
    const leaseUntil = int(reply[5]);
    const { known } = this.#core;
    const noted = known.note(id, sent, header, prepared.snapshot);
    const snapshot = prepared.snapshot ?? currentSnapshot(noted);
    // Whoever writes reads what it wrote.
    known.l1?.drop(id);
    if (snapshot !== null) known.keep(id, sent, { header, counters, snapshot }, reply, 1);
    const firstSeq = header.lastSeq - (order.messages?.length ?? 0) + 1;
    const messages = place(order.messages, firstSeq, now);
    known.keepTail(id, sent, header.incarnation, messages);
    return {
      after: { header, counters, snapshot },
      before: prepared.snapshot === null ? null : (prepared.base?.snapshot.state ?? null),
      messages,
      leaseUntil,
    };
  }

  /** A repeat completes what the first call did, and learns it. */
  async #madeBefore(
    id: string,
    order: WriteOrder,
    prepared: Prepared<Metadata>,
    { memory, line }: { readonly memory: string; readonly line: string },
  ): Promise<Written<Metadata>> {
    const written = await this.#doneBefore(id, order, prepared, line);
    await this.#complete(id, order.nonce, memory, { prepared, written });
    if (order.mayRepeat) this.#remembered.set(memory, { prepared, written });
    return written;
  }

  async #doneBefore(
    id: string,
    order: WriteOrder,
    prepared: Prepared<Metadata>,
    line: string,
  ): Promise<Written<Metadata>> {
    const present = prepared.base ?? (await this.#present(id, order));
    const snapshot = prepared.snapshot ?? present.snapshot;
    const before = prepared.snapshot === null ? null : (prepared.base?.snapshot.state ?? null);
    return { ...this.#asOf(line, order, { ...present, snapshot }), before };
  }

  /**
   * Somebody else made it, of something that is not known here. The state is the present one; if that
   * has changed since, the version is an old one, with which nothing can be overwritten.
   */
  async #doneElsewhere(id: string, order: WriteOrder, line: string): Promise<Written<Metadata>> {
    return { ...this.#asOf(line, order, await this.#present(id, order)), before: null };
  }

  /** @throws SessionGoneError where the lease's session has ended, and what was written with it */
  async #present(id: string, { nonce, lease }: WriteOrder): Promise<StoredSnapshot<Metadata>> {
    const present = await completing(nonce, this.#core.stored.read(id));
    if (lease !== undefined && present?.header.incarnation !== lease.incarnation) throw gone(id);
    if (present === null) throw unlessRepeated({ repeated: true }, nonce, notFound(id));
    return present;
  }

  /** A session as a write left it whose result this line is. */
  #asOf(line: string, order: WriteOrder, { header, snapshot }: StoredSnapshot<Metadata>) {
    const [version = 0, now = 0, lastSeq = 0, leaseUntil = 0] = line.split(' ', 4).map(Number);
    const counters = parseCounters(line.split(' ').slice(4).join(' '));
    const idleExpiresAt = Math.min(
      now + this.#core.options.idleTimeoutMs,
      header.absoluteExpiresAt,
    );
    const at = { updatedAt: now, lastActivity: now, idleExpiresAt, leaseUntil };
    return {
      after: { header: { ...header, version, lastSeq, ...at }, counters, snapshot },
      messages: place(order.messages, lastSeq - (order.messages?.length ?? 0) + 1, now),
      leaseUntil,
    };
  }
}

function forgotten(id: string): VersionConflictError {
  return new VersionConflictError(`Session ${id} was changed too often meanwhile.`);
}

interface Remembered<Metadata extends object> {
  readonly prepared: Prepared<Metadata>;
  readonly written?: Written<Metadata>;
}

const noCounters: ReadonlyMap<string, number> = new Map();

function currentSnapshot<Metadata extends object>({
  header,
  snapshot,
}: KnownSession<Metadata>): Snapshot<Metadata> | null {
  return snapshot !== null && snapshot.etag === header?.etag ? snapshot : null;
}

function place(
  messages: readonly PreparedMessage[] | undefined,
  firstSeq: number,
  now: number,
): readonly Message[] {
  if (messages === undefined || messages.length === 0) return noMessages;
  return Object.freeze(messages.map((message, at) => placeMessage(message, firstSeq + at, now)));
}

const noMessages: readonly Message[] = Object.freeze([]);
