import type { Message } from '../../model/message.ts';
import type { Emitter } from '../../store/emitter.ts';
import type { StoreEvents } from '../../store/store-events.ts';
import type { ResolvedStoreOptions } from '../../store/store-options.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import { int, type ReplyList } from '../connection/reply.ts';
import { Aging } from '../known/aging.ts';
import { type Floor, Floors } from '../known/floors.ts';
import { type KnownSession, KnownSessions } from '../known/known-sessions.ts';
import { type Snapshot, type StoredSnapshot, viewOf } from '../known/snapshot.ts';
import type { Asked } from '../l1/bucket-news.ts';
import { HistoryTails } from '../l1/history-tails.ts';
import { L1Cache, type L1Options } from '../l1/l1-cache.ts';
import { type Change, News } from '../l1/news.ts';
import type { Header } from '../layout/header.ts';
import type { Keys } from '../layout/keys.ts';
import { notFound } from './refusals.ts';

/** Without an L1, of as many sessions is known what their keys are, and the values that turns need. */
const knownSessions = 1_000;

/** Without an L1, what is known is kept as long as with its default. */
const knownTtlMs = 60_000;

/** So long a write can be repeated under its nonce and be answered from here as it was, or was meant. */
const repeatsMs = 600_000;

/** Without an L1, open streams learn as late as with its default that their session has ended. */
const streamStalenessMs = 250;

/** What was known of a session when Redis was asked about it. */
export interface Sent<Metadata extends object> {
  /** Whose etag was sent: values that are still those are not sent back. */
  readonly snapshot: Snapshot<Metadata> | null;
  readonly floor: Floor | undefined;
  readonly known: KnownSession<Metadata>;
  readonly asked: Asked;
}

export interface KnowledgeParts {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly l1: L1Options | null;
  readonly events: Emitter<StoreEvents>;
  /** Whether nobody but the instances can make what is stored. */
  readonly isGenuine: boolean;
}

/** What this process knows of sessions, and what each reply and each message makes of that. */
export class Knowledge<Metadata extends object> {
  readonly sessions: KnownSessions<Metadata>;
  /** How long is remembered what writes did that may be repeated. */
  readonly repeats: Aging;
  readonly news: News;
  /** `null` when it is off. */
  readonly l1: L1Cache<Metadata> | null;
  /** The same of histories. */
  readonly tails: HistoryTails | null;
  /** `null` where anybody could make what the codec decodes. */
  readonly floors: Floors | null;
  /** Set once: ends a session that has ended before and was put back. */
  endAgain: (id: string, incarnation: string) => void = () => {};
  readonly #options: ResolvedStoreOptions<Metadata>;
  readonly #link: RedisLink;
  readonly #aging: Aging;

  constructor(
    options: ResolvedStoreOptions<Metadata>,
    { link, keys, l1, events, isGenuine }: KnowledgeParts,
  ) {
    const { clock, logger, maxMessages, readMetadata } = options;
    this.#options = options;
    this.#link = link;
    this.#aging = new Aging(clock, l1?.ttlMs ?? knownTtlMs);
    this.repeats = new Aging(clock, repeatsMs);
    this.sessions = new KnownSessions(
      { size: l1?.size ?? knownSessions, keepsValues: l1 !== null },
      (id) => keys.session(id),
      this.#aging,
    );
    this.news = new News({
      ...{ link, keys, clock },
      stalenessMs: l1?.stalenessMs ?? streamStalenessMs,
      onChange: (id, change) => this.#changed(id, change),
    });
    this.l1 =
      l1 &&
      new L1Cache(l1, this.news, clock, this.#aging, (id, stored) =>
        viewOf(id, stored, readMetadata),
      );
    this.tails = l1 && new HistoryTails(l1.size, maxMessages, this.#aging);
    this.floors = isGenuine ? new Floors(logger, (lost) => events.emit('lostWrites', lost)) : null;
  }

  of(id: string): KnownSession<Metadata> {
    return this.sessions.of(id);
  }

  /** What is known now, for a call that is about to ask. */
  sent(id: string): Sent<Metadata> {
    const known = this.sessions.of(id);
    const bucket = this.news.of(id);
    if (this.l1 !== null && bucket.listening === 'no') this.news.want(bucket);
    const asked = bucket.asked(this.#options.clock.monotonic());
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
    const isKnown = this.sessions.peek(id) === known;
    const { bucket } = asked;
    const { changed } = known;
    const hasChanged = changed !== null && changed.epoch === bucket.epoch && count < changed.count;
    if (isKnown && !hasChanged && bucket.mayKeep(asked, count)) {
      this.l1.keep(id, stored, bucket, count);
    }
  }

  /** Keeps messages that are the newest of a session, as `asked` for. */
  keepTail(
    id: string,
    { known, asked }: Sent<Metadata>,
    incarnation: string,
    messages: readonly Message[],
  ): void {
    if (this.sessions.peek(id) === known) this.tails?.keep(id, incarnation, asked, messages);
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
    const known = this.sessions.of(id);
    known.header = header;
    if (snapshot !== null && known === before) this.sessions.learn(known, snapshot);
    this.saw(id, header);
    return known;
  }

  /** What a server has just said of a session. */
  saw(id: string, header: Header): void {
    this.floors?.raise(id, header, this.#serverOf(id));
  }

  /** A server has just said that there is no such session. */
  sawNone(id: string, { floor }: Sent<Metadata>): void {
    this.forget(id);
    if (floor?.server === this.#serverOf(id)) this.floors?.ended(id, floor.header.incarnation);
  }

  /**
   * @throws PutBackError when a session is older than the same server had it before
   * @throws SessionNotFoundError for one that has ended and was put back
   */
  assertGenuine(id: string, header: Header, floor: Floor | undefined): void {
    if (this.floors === null) return;
    const { incarnation } = header;
    if (this.floors.hasEnded(id, incarnation)) {
      this.forget(id);
      this.endAgain(id, incarnation);
      throw notFound(id);
    }
    if (!this.floors.check(id, header, floor, this.#serverOf(id))) this.forget(id);
  }

  /** What was decoded with a key that is no longer there must not be read any more. */
  forgetAll(): void {
    this.#aging.clear();
  }

  /** What is known of a session is not so any more. */
  forget(id: string): void {
    this.sessions.forget(id);
    this.l1?.drop(id);
    this.tails?.drop(id);
  }

  #changed(id: string, { bucket: { epoch }, count, ended }: Change): void {
    if (ended !== null) {
      this.sessions.ended(id, ended);
      this.tails?.ended(id, ended);
    }
    const known = this.sessions.peek(id);
    if (known !== undefined) {
      const { changed } = known;
      const isNewer = changed === null || changed.epoch !== epoch || changed.count < count;
      if (isNewer) known.changed = { epoch, count };
    }
    this.l1?.changed(id, count);
  }

  #serverOf(id: string): string {
    return this.#link.serverOf(this.sessions.of(id).keys[0]);
  }

  close(): void {
    this.news.close();
    this.#aging.close();
    this.repeats.close();
  }
}
