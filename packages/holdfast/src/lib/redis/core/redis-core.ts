import { ClearIdWarning } from '../../codec/clear-id-warning.ts';
import type { Codec } from '../../codec/codec.ts';
import {
  DecryptionError,
  type HoldfastError,
  OutcomeUnknownError,
  SessionGoneError,
  SessionNotFoundError,
  StoreUnavailableError,
} from '../../errors/errors.ts';
import { assertId, randomId } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import type { Session } from '../../model/session.ts';
import { Emitter } from '../../store/emitter.ts';
import type { StoreEventName, StoreEvents } from '../../store/store-events.ts';
import type { ResolvedStoreOptions } from '../../store/store-options.ts';
import { TurnFigures } from '../../store/turn-figures.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import type { RedisLink } from '../connection/redis-link.ts';
import { bytesOrNull, int, list, type ReplyList, text } from '../connection/reply.ts';
import type { Script } from '../connection/script.ts';
import { Aging } from '../known/aging.ts';
import { type Floor, Floors, PutBackError } from '../known/floors.ts';
import { type KnownSession, KnownSessions, Snapshot, viewOf } from '../known/known-sessions.ts';
import type { Asked } from '../l1/bucket-news.ts';
import { HistoryTails } from '../l1/history-tails.ts';
import { L1Cache, type L1Options } from '../l1/l1-cache.ts';
import { type Change, News } from '../l1/news.ts';
import { type Header, none, parseCounters, parseHeader, tokenWord } from '../layout/header.ts';
import type { Keys } from '../layout/keys.ts';
import { Records } from '../layout/records.ts';
import type { Durability } from '../redis-options.ts';
import { scripts } from '../scripts/scripts.ts';
import { ServerClock } from './server-clock.ts';

/** Without an L1, of as many sessions is known what their keys are, and the values that turns need. */
const knownSessions = 1_000;

/** Without an L1, what is known is kept as long as with its default. */
const knownTtlMs = 60_000;

/** So long a write can be repeated under its nonce and be answered from here as it was, or was meant. */
const repeatsMs = 600_000;

/** Without an L1, open streams learn as late as with its default that their session has ended. */
const streamStalenessMs = 250;

/** Where a session's keys have the bucket's news. */
const newsKey = 13;

/** A session as it was read. */
export interface StoredSnapshot<Metadata extends object> {
  readonly header: Header;
  readonly counters: ReadonlyMap<string, number>;
  readonly snapshot: Snapshot<Metadata>;
}

/** What was known of a session when Redis was asked about it. */
export interface Sent<Metadata extends object> {
  /** Whose etag was sent: values that are still those are not sent back. */
  readonly snapshot: Snapshot<Metadata> | null;
  readonly floor: Floor | undefined;
  readonly known: KnownSession<Metadata>;
  readonly asked: Asked;
}

/** A script's reply, and whether it was called more than once to get it. */
export interface Answer {
  readonly reply: ReplyList;
  /** An earlier call may have been executed, and its reply lost. */
  readonly repeated: boolean;
}

export interface CoreParts {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly codec: Codec;
  readonly l1: L1Options | null;
  readonly durability: Durability;
}

/** What all parts of the driver share: the way to Redis, the names of keys, and what is known. */
export class RedisCore<Metadata extends object> {
  readonly options: ResolvedStoreOptions<Metadata>;
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly codec: Codec;
  readonly records: Records;
  readonly events: Emitter<StoreEvents>;
  readonly turnFigures: TurnFigures;
  readonly aging: Aging;
  /** The same of writes, for those that are repeated. */
  readonly repeats: Aging;
  readonly known: KnownSessions<Metadata>;
  readonly clock: ServerClock;
  readonly news: News;
  /** `null` when it is off. */
  readonly l1: L1Cache<Metadata> | null;
  /** The same of histories. */
  readonly tails: HistoryTails | null;
  /** `null` where anybody could make what the codec decodes. */
  readonly floors: Floors | null;
  /** `null` where users' names are no secret anyway. */
  readonly clearIds: ClearIdWarning | null;
  /** Set once: ends a session that has ended before and was put back. */
  endAgain: (id: string, incarnation: string) => void = () => {};
  /** Names this instance: where it is told of leases. */
  readonly inbox = randomId();
  readonly #outcomeTtl: string;
  readonly #isReplicated: boolean;

  constructor(
    options: ResolvedStoreOptions<Metadata>,
    { link, keys, codec, l1, durability }: CoreParts,
  ) {
    this.options = options;
    this.link = link;
    this.keys = keys;
    this.codec = codec;
    this.#isReplicated = durability === 'replicated';
    this.records = new Records(codec);
    this.events = new Emitter(options.logger);
    this.turnFigures = new TurnFigures(options.clock);
    this.aging = new Aging(options.clock, l1?.ttlMs ?? knownTtlMs);
    this.repeats = new Aging(options.clock, repeatsMs);
    this.known = new KnownSessions(
      { size: l1?.size ?? knownSessions, keepsValues: l1 !== null },
      (id) => keys.session(id),
      this.aging,
    );
    this.news = new News({
      ...{ link, keys, clock: options.clock },
      stalenessMs: l1?.stalenessMs ?? streamStalenessMs,
      onChange: (id, change) => this.#changed(id, change),
    });
    this.l1 =
      l1 &&
      new L1Cache(l1, this.news, options.clock, this.aging, (id, stored) => this.view(id, stored));
    this.tails = l1 && new HistoryTails(l1.size, options.maxMessages, this.aging);
    this.clock = new ServerClock(link);
    this.floors = codec.authenticates
      ? new Floors(options.logger, (lost) => this.events.emit('lostWrites', lost))
      : null;
    this.clearIds = codec.authenticates ? new ClearIdWarning(options.logger) : null;
    this.#outcomeTtl = String(options.outcomeTtlMs);
  }

  #serverOf(id: string): string {
    return this.link.serverOf(this.known.of(id).keys[0]);
  }

  /** What the arguments of every script on a session begin with. */
  common(id: string): RedisArgument[] {
    return [id, this.keys.inboxPrefix(id), this.#outcomeTtl];
  }

  /**
   * Calls a script on a session, with the first `keyCount` of its keys, and behind them the bucket's
   * news; `args` are all of them.
   */
  async run(
    script: Script,
    id: string,
    keyCount: number,
    args: readonly RedisArgument[],
    nonce?: string,
    deadline?: number,
  ): Promise<Answer> {
    const report = { repeated: false, deadline };
    const { keys } = this.known.of(id);
    const own = [...keys.slice(0, keyCount), keys[newsKey]];
    const reply = list(await this.link.call(script, own, args, nonce, report));
    return { reply, repeated: report.repeated };
  }

  /**
   * Waits until a replica has a write that has taken effect, where that was asked for.
   *
   * @param always also where it was not, if there is a replica
   * @throws OutcomeUnknownError when none has it in time
   */
  async replicated(
    id: string,
    nonce: string,
    {
      always = false,
      deadline = performance.now() + this.link.timeoutMs,
    }: { readonly always?: boolean; readonly deadline?: number | undefined } = {},
  ): Promise<void> {
    if (!this.#isReplicated && !always) return;
    const [key] = this.known.of(id).keys;
    const server = this.link.serverOf(key);
    const ifAny = !this.#isReplicated;
    if (await this.link.confirm(server, this.keys.mark(key), { deadline, ifAny })) return;
    throw new OutcomeUnknownError(
      `A write to session ${id} took effect, but no replica of ${this.link.address.display} confirmed it in time: it is lost if that server is. Look whether replicas are connected, and repeat it under its nonce.`,
      { nonce },
    );
  }

  /**
   * The session as it is at this instant; `null` when there is none, or its token has not the hash that
   * is given: the two replies are the same.
   */
  async read(id: string, tokenHash?: string): Promise<StoredSnapshot<Metadata> | null> {
    assertId(id, 'A session id');
    const sent = this.sent(id);
    const { keys } = this.known.of(id);
    const etag = sent.snapshot?.etag ?? none;
    const token = tokenHash === undefined ? '*' : tokenWord(tokenHash);
    const reply = list(await this.link.call(scripts.read, [keys[0], keys[newsKey]], [etag, token]));
    if (reply.length === 0) {
      // Of a session whose token is another one nothing was learned.
      if (tokenHash !== undefined) return null;
      this.forget(id);
      if (sent.floor?.server === this.#serverOf(id)) {
        this.floors?.ended(id, sent.floor.header.incarnation);
      }
      return null;
    }
    try {
      const stored = this.decode(id, sent, reply, 2);
      this.keep(id, sent, stored, reply, 0);
      return stored;
    } catch (error) {
      if (error instanceof SessionNotFoundError) return null;
      if (await this.isElsewhere(id, error)) return this.read(id, tokenHash);
      throw error;
    }
  }

  /**
   * Whether a session seems to have been put back because the server has become another one, on the
   * same connection: it was a replica meanwhile. Then reading it again finds out.
   */
  async isElsewhere(id: string, error: unknown): Promise<boolean> {
    const [key] = this.known.of(id).keys;
    return error instanceof PutBackError && (await this.link.identify(key));
  }

  /** What is known now, for a call that is about to ask. */
  sent(id: string): Sent<Metadata> {
    const known = this.known.of(id);
    const bucket = this.news.of(id);
    if (this.l1 !== null && bucket.listening === 'no') this.news.want(bucket);
    const asked = bucket.asked(this.options.clock.monotonic());
    return { snapshot: known.snapshot, floor: this.floors?.of(id), known, asked };
  }

  /** Keeps what a reply has brought that has the server's time and the bucket's news from `at` on. */
  keep(
    id: string,
    { known, asked }: Sent<Metadata>,
    stored: StoredSnapshot<Metadata>,
    reply: ReplyList,
    at: number,
  ): void {
    const count = int(reply[at + 1]);
    this.news.replied(asked, count, int(reply[at]));
    if (this.l1 === null) return;
    // Of one that was forgotten meanwhile, a change may have been told that this does not have.
    const isKnown = this.known.peek(id) === known;
    const { bucket } = asked;
    const { changed } = known;
    const hasChanged = changed !== null && changed.epoch === bucket.epoch && count < changed.count;
    if (isKnown && !hasChanged && bucket.mayKeep(asked, count)) {
      this.l1.keep(id, stored, bucket, count);
    }
  }

  /** What is known of a session is not so any more. */
  forget(id: string): void {
    this.known.forget(id);
    this.l1?.drop(id);
    this.tails?.drop(id);
  }

  #changed(id: string, { bucket: { epoch }, count, ended }: Change): void {
    if (ended !== null) {
      this.known.ended(id, ended);
      this.tails?.ended(id, ended);
    }
    const known = this.known.peek(id);
    if (known !== undefined) {
      const { changed } = known;
      const isNewer = changed === null || changed.epoch !== epoch || changed.count < count;
      if (isNewer) known.changed = { epoch, count };
    }
    this.l1?.changed(id, count);
  }

  /**
   * Notes what a reply says of a session; `null` leaves the values as they are. Those of one that was
   * forgotten since it was asked for are not kept: it may have ended.
   */
  note(
    id: string,
    { known: before }: Sent<Metadata>,
    header: Header,
    snapshot: Snapshot<Metadata> | null,
  ): KnownSession<Metadata> {
    const known = this.known.of(id);
    known.header = header;
    if (snapshot !== null && known === before) this.known.learn(known, snapshot);
    this.saw(id, header);
    return known;
  }

  /** Keeps messages that are the newest of a session, as `asked` for. */
  keepTail(
    id: string,
    { known, asked }: Sent<Metadata>,
    incarnation: string,
    messages: readonly Message[],
  ): void {
    if (this.known.peek(id) === known) this.tails?.keep(id, incarnation, asked, messages);
  }

  /** What a server has just said of a session. */
  saw(id: string, header: Header): void {
    this.floors?.raise(id, header, this.#serverOf(id));
  }

  /** @throws SessionNotFoundError */
  async require(id: string): Promise<StoredSnapshot<Metadata>> {
    const stored = await this.read(id);
    if (stored === null) throw notFound(id);
    return stored;
  }

  /**
   * A session of a reply that has, from `at` on, header and counters, and from `values` on state and
   * credentials, unless they are those whose etag was `sent`. (What is known by now may be others.)
   *
   * @throws DecryptionError; SessionNotFoundError for one that has ended and was put back
   */
  decode(
    id: string,
    sent: Sent<Metadata>,
    reply: ReplyList,
    at: number,
    values = at + 2,
  ): StoredSnapshot<Metadata> {
    const line = text(reply[at]);
    const header = parseHeader(line);
    const counters = parseCounters(text(reply[at + 1]));
    this.#assertGenuine(id, header, sent.floor);
    if (reply[values] === undefined && sent.snapshot !== null) {
      const { snapshot } = sent;
      this.note(id, sent, header, snapshot);
      return { header, counters, snapshot };
    }
    const { incarnation } = header;
    const place = { sessionId: id, incarnation };
    const position = header.stateVersion;
    const [sealed, sealedCredentials] = [reply[values], reply[values + 1]].map(bytesOrNull);
    if (!sealed || !sealedCredentials) {
      throw new DecryptionError(`Of what is stored of session ${id} something is missing.`);
    }
    const state = this.records.readState(sealed, { ...place, position }, header);
    const credentials = this.records.readCredentials(sealedCredentials, header.tokenHash, {
      ...place,
      position: header.credentialsVersion,
    });
    const snapshot = new Snapshot<Metadata>(header.etag, state, credentials);
    this.note(id, sent, header, snapshot);
    return { header, counters, snapshot };
  }

  #assertGenuine(id: string, header: Header, floor: Floor | undefined): void {
    if (this.floors === null) return;
    const { incarnation } = header;
    if (this.floors.hasEnded(id, incarnation)) {
      this.forget(id);
      this.endAgain(id, incarnation);
      throw notFound(id);
    }
    if (!this.floors.check(id, header, floor, this.#serverOf(id))) this.forget(id);
  }

  view(id: string, stored: StoredSnapshot<Metadata>, leaseUntil?: number): Session<Metadata> {
    const metadata = stored.snapshot.metadata(this.options.readMetadata);
    return viewOf(id, stored.header, stored.counters, stored.snapshot, metadata, leaseUntil);
  }

  tell(
    name: Exclude<StoreEventName, 'status'>,
    session: { readonly sessionId: string; readonly userId: string | null },
  ): void {
    this.events.emit(name, session);
  }

  /** The user's name in indexes, for new entries. */
  userName(userId: string | null): string | null {
    return userId === null ? null : this.codec.userNames(userId)[0];
  }
}

export function notFound(id: string): SessionNotFoundError {
  return new SessionNotFoundError(`There is no session ${id} here.`);
}

export function gone(id: string): SessionGoneError {
  return new SessionGoneError(`The session ${id} was deleted or has expired.`);
}

/** What belongs to a write that has taken effect: repeating that under its nonce does this again. */
export async function completing<Result>(nonce: string, rest: Promise<Result>): Promise<Result> {
  try {
    return await rest;
  } catch (cause) {
    if (!(cause instanceof StoreUnavailableError)) throw cause;
    const message = 'A write took effect, but the indexes that go with it could not be written.';
    throw new OutcomeUnknownError(message, { nonce, cause });
  }
}

/**
 * A refusal that may be due to this very write's first call: it took effect, its reply was lost, and
 * what came after it hides that.
 */
export function unlessRepeated(
  { repeated }: Pick<Answer, 'repeated'>,
  nonce: string,
  refusal: HoldfastError,
): HoldfastError {
  if (!repeated) return refusal;
  return new OutcomeUnknownError(
    'The reply to a write was lost, and whether it took effect can no longer be learned.',
    { nonce, cause: refusal },
  );
}
