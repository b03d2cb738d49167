import { SessionLimitError, VersionConflictError } from '../../errors/errors.ts';
import { assertId, randomId } from '../../model/ids.ts';
import type { Session, SessionCredentials, SessionState } from '../../model/session.ts';
import type { ParsedInit } from '../../model/state.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { bytesOrNull, int, type ReplyList, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { completing, unlessRepeated } from '../core/refusals.ts';
import type { Answer } from '../core/session-calls.ts';
import { AgingCache } from '../known/aging.ts';
import type { KnownSession } from '../known/known-sessions.ts';
import { Snapshot, type StoredSnapshot } from '../known/snapshot.ts';
import {
  formatCounters,
  none,
  parseCounters,
  parseHeader,
  tokenWord,
  userWord,
} from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { rejoinNamespace } from '../layout/namespace.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Removals } from './removals.ts';
import type { Ended, Reservation, UserIndex } from './user-index.ts';

const createKeys = 13;

const rememberedCreations = 1_000;

/** Redis remembers at least so many writes of a session (`KEPT` in `recent-writes.lua`). */
const recentWrites = 32;

interface Init {
  readonly etag: string;
  readonly incarnation: string;
  readonly state: SessionState;
  readonly credentials: SessionCredentials;
}

/** How sessions begin: reserved in the user's index, created in their own place, confirmed. */
export class Creation<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;
  readonly #removals: Removals<Metadata>;
  /** Creations of unknown outcome: one that is repeated is the same again. */
  readonly #unknown: AgingCache<Init>;
  /** Creations under their callers' own nonces, to be answered alike when they are repeated. */
  readonly #made: AgingCache<Init>;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#unknown = new AgingCache(rememberedCreations, core.known.repeats);
    this.#made = new AgingCache(rememberedCreations, core.known.repeats);
    this.#users = users;
    this.#removals = removals;
  }

  /** @throws VersionConflictError, SessionLimitError, ValidationError */
  async create(
    id: string,
    { state: given, counters }: ParsedInit,
    givenCredentials: SessionCredentials,
    { nonce, mayRepeat }: { readonly nonce: string; readonly mayRepeat: boolean },
  ): Promise<Session<Metadata>> {
    const { clearIds, known, options, records } = this.#core;
    assertId(id, 'A session id');
    clearIds?.check(id, given.userId);
    options.readMetadata(given.metadata);
    const name = `n${word(nonce)}`;
    const memory = `${id}\n${name}`;
    const earlier = this.#unknown.get(memory);
    // One that has ended since is not begun again: it would be another session of the same name.
    const asBefore =
      earlier && !known.floors?.hasEnded(id, earlier.incarnation) ? earlier : undefined;
    const incarnation = asBefore?.incarnation ?? randomId();
    const etag = `${name}.${incarnation}`;
    const init = asBefore ?? { etag, incarnation, state: given, credentials: givenCredentials };
    const { state, credentials } = init;
    const { userId } = state;
    const reservation = userId === null ? null : await this.#enter(userId, id, etag, nonce);
    const settle = async () => {
      if (userId !== null && reservation !== null) {
        await this.#users.settle(userId, id, reservation);
      }
    };
    const before = known.of(id);
    const place = { sessionId: id, incarnation, position: 1 };
    const call = (flags: string) =>
      this.#call(nonce, flags, id, (createdAt) => [
        ...this.#core.calls.common(id),
        name,
        incarnation,
        etag,
        state.status,
        userWord(this.#core.userName(userId)),
        tokenWord(credentials.tokenHash),
        records.state(state, place, {
          createdAt,
          absoluteExpiresAt: createdAt + options.absoluteTimeoutMs,
        }),
        records.credentials(credentials, place),
        formatCounters(counters),
        String(options.idleTimeoutMs),
        String(options.absoluteTimeoutMs),
        String(this.#core.keys.buckets),
      ]);
    // Until its outcome is known.
    this.#unknown.set(memory, init);
    let answer = await call('');
    const mayBeMade = () => answer.repeated || earlier !== undefined;
    // Its repetition is answered as the creation was; to anybody else the name is free again.
    if (text(answer.reply[0]) === 'buried' && !mayBeMade()) {
      answer = await call('a');
    }
    const { reply } = answer;
    const kind = text(reply[0]);
    if (kind === 'taken') {
      await settle();
      const forgotten = mayBeMade() && int(reply[1]) > recentWrites;
      if (!forgotten) this.#unknown.delete(memory);
      throw unlessRepeated({ repeated: forgotten }, nonce, taken(id));
    }
    if (kind === 'created') await this.#replaced(id, reply);
    if (kind === 'created' || answer.repeated)
      this.#core.tell('created', { sessionId: id, userId });
    const created =
      kind === 'created' || mayBeMade()
        ? this.#created(id, init, reply, before)
        : this.#repeated(id, this.#made.get(memory), reply, before);
    const isThere = kind !== 'buried';
    if (!isThere) await settle();
    if (userId !== null && reservation !== null && isThere) {
      const { incarnation: own } = created.header;
      const leave = async (event: Ended) => {
        await this.#removals.delete(id, { event, incarnation: own });
        await settle();
      };
      const why = await completing(nonce, this.#users.confirm(userId, id, reservation));
      if (why === null) await this.#stay(userId, id, nonce, () => leave('deleted'));
      else await completing(nonce, leave(why));
    }
    this.#unknown.delete(memory);
    if (mayRepeat && (kind === 'created' || mayBeMade())) this.#made.set(memory, init);
    return this.#core.stored.view(id, asCreated(created, counters, options.idleTimeoutMs), 0);
  }

  /** @throws SessionLimitError, when the session has left again */
  async #stay(
    userId: string,
    id: string,
    nonce: string,
    leave: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await completing(nonce, this.#users.assertWithinCap(userId, id));
    } catch (error) {
      if (error instanceof SessionLimitError) await completing(nonce, leave());
      throw error;
    }
  }

  /** With the state saying when it is made, where the codec makes that worth anything. */
  async #call(
    nonce: string,
    flags: string,
    id: string,
    argsAt: (createdAt: number) => readonly RedisArgument[],
  ): Promise<Answer> {
    const { clock, codec, keys, link } = this.#core;
    let at = codec.authenticates ? await clock.estimate() : null;
    for (let own = flags; ; ) {
      const args = [...argsAt(at ?? 0), own, String(at ?? none)];
      const answer = await this.#core.calls.run(scripts.create, id, createKeys, args, nonce);
      const kind = text(answer.reply[0]);
      if (kind === 'namespace' && own === flags) {
        await rejoinNamespace(link, keys);
        own = `n${flags}`;
      } else if (kind === 'clock') {
        at = int(answer.reply[1]);
        clock.told(at);
      } else {
        if (kind === 'created' || kind === 'done') await this.#core.replicas.confirm(id, nonce);
        return answer;
      }
    }
  }

  async #enter(userId: string, id: string, etag: string, nonce: string): Promise<Reservation> {
    const mayStay = async () => {
      const stored = await this.#core.stored.read(id);
      if (stored !== null && stored.header.etag !== etag) throw taken(id);
    };
    return this.#users.enter(userId, id, { nonce, mayStay });
  }

  /** @param before what was known of it when it was encoded: of what was forgotten since nothing is kept */
  #created(
    id: string,
    { etag, state, credentials }: Init,
    reply: ReplyList,
    before: KnownSession<Metadata>,
  ) {
    const header = parseHeader(text(reply[2]));
    const { known } = this.#core;
    known.l1?.drop(id);
    const snapshot = new Snapshot<Metadata>(etag, state, credentials);
    const created = { header, counters: parseCounters(text(reply[3])), snapshot };
    // Nothing of it is so any more, and there may be another one.
    if (text(reply[0]) === 'buried') {
      known.forget(id);
      return created;
    }
    if (header.etag === etag && known.of(id) === before) {
      before.header = header;
      known.sessions.learn(before, snapshot);
    }
    known.saw(id, header);
    return created;
  }

  /** Of a creation that this instance, or another one, was told of before. */
  #repeated(
    id: string,
    made: Init | undefined,
    reply: ReplyList,
    before: KnownSession<Metadata>,
  ): StoredSnapshot<Metadata> {
    const { incarnation } = parseHeader(text(reply[2]));
    return made?.incarnation === incarnation
      ? this.#created(id, made, reply, before)
      : // Its values are wanted, whatever is known.
        this.#core.stored.decode(
          id,
          { ...this.#core.known.sent(id), snapshot: null, floor: undefined },
          reply,
          2,
        );
  }

  /** What follows for an expired session that was in the new one's place. */
  async #replaced(id: string, reply: ReplyList): Promise<void> {
    const line = bytesOrNull(reply[4]);
    const state = bytesOrNull(reply[5]);
    if (line === null || state === null) return;
    const heir = parseHeader(text(reply[2])).userName;
    await this.#removals.left(id, parseHeader(text(line)), state, 'expired', heir);
  }
}

function taken(id: string): VersionConflictError {
  return new VersionConflictError(`A session ${id} exists already.`);
}

/** The session as it was created, whatever has become of it since. */
function asCreated<Metadata extends object>(
  { header, snapshot }: StoredSnapshot<Metadata>,
  counters: ReadonlyMap<string, number>,
  idleTimeoutMs: number,
): StoredSnapshot<Metadata> {
  const { createdAt, absoluteExpiresAt } = header;
  const idleExpiresAt = Math.min(createdAt + idleTimeoutMs, absoluteExpiresAt);
  const at = { updatedAt: createdAt, lastActivity: createdAt, idleExpiresAt };
  return { header: { ...header, version: 1, ...at }, counters, snapshot };
}
