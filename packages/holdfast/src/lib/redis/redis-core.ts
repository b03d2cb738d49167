import type { Codec } from '../codec/codec.ts';
import {
  type HoldfastError,
  OutcomeUnknownError,
  SessionGoneError,
  SessionNotFoundError,
  StoreUnavailableError,
} from '../errors/errors.ts';
import { assertId, randomId } from '../model/ids.ts';
import type { Session } from '../model/session.ts';
import { Emitter } from '../store/emitter.ts';
import type { StoreEventName, StoreEvents } from '../store/store-events.ts';
import type { ResolvedStoreOptions } from '../store/store-options.ts';
import type { RedisArgument } from './connection/redis-connection.ts';
import type { RedisLink } from './connection/redis-link.ts';
import type { Script } from './connection/script.ts';
import { type Header, none, parseCounters, parseHeader } from './header.ts';
import type { Keys } from './keys.ts';
import { KnownSessions, Snapshot, viewOf } from './known-sessions.ts';
import { Records } from './records.ts';
import { bytes, list, type ReplyList, text } from './reply.ts';
import { scripts } from './scripts/scripts.ts';

/** Sessions whose decoded values a process keeps, in case that they are still what Redis has. */
const knownSessions = 1_000;

/** A session as it was read. */
export interface StoredSnapshot<Metadata extends object> {
  readonly header: Header;
  readonly counters: ReadonlyMap<string, number>;
  readonly snapshot: Snapshot<Metadata>;
}

/** A script's reply, and whether it was called more than once to get it. */
export interface Answer {
  readonly reply: ReplyList;
  /** An earlier call may have been executed, and its reply lost. */
  readonly repeated: boolean;
}

/** What all parts of the driver share: the way to Redis, the names of keys, and what is known. */
export class RedisCore<Metadata extends object> {
  readonly options: ResolvedStoreOptions<Metadata>;
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly codec: Codec;
  readonly records: Records;
  readonly events: Emitter<StoreEvents>;
  readonly known: KnownSessions<Metadata>;
  /** Names this instance: where it is told of leases. */
  readonly inbox = randomId();
  readonly #outcomeTtl: string;
  readonly #inboxPrefix: string;

  constructor(
    options: ResolvedStoreOptions<Metadata>,
    { link, keys, codec }: { link: RedisLink; keys: Keys; codec: Codec },
  ) {
    this.options = options;
    this.link = link;
    this.keys = keys;
    this.codec = codec;
    this.records = new Records(codec);
    this.events = new Emitter(options.logger);
    this.known = new KnownSessions(knownSessions, (id) => keys.session(id));
    this.#outcomeTtl = String(options.outcomeTtlMs);
    this.#inboxPrefix = keys.inboxPrefix;
  }

  /** What the arguments of every script on a session begin with. */
  common(id: string): RedisArgument[] {
    return [id, this.#inboxPrefix, this.#outcomeTtl];
  }

  /** Calls a script on a session, with the first `keyCount` of its keys; `args` are all of them. */
  async run(
    script: Script,
    id: string,
    keyCount: number,
    args: readonly RedisArgument[],
    nonce?: string,
    deadline?: number,
  ): Promise<Answer> {
    const report = { repeated: false, deadline };
    const keys = this.known.of(id).keys.slice(0, keyCount);
    const reply = list(await this.link.call(script, keys, args, nonce, report));
    return { reply, repeated: report.repeated };
  }

  /** The session as it is at this instant; `null` when there is none. */
  async read(id: string): Promise<StoredSnapshot<Metadata> | null> {
    assertId(id, 'A session id');
    const { keys, snapshot } = this.known.of(id);
    const reply = list(await this.link.call(scripts.read, [keys[0]], [snapshot?.etag ?? none]));
    if (reply.length === 0) {
      this.known.forget(id);
      return null;
    }
    return this.decode(id, snapshot, reply, 1);
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
   */
  decode(
    id: string,
    sent: Snapshot<Metadata> | null,
    reply: ReplyList,
    at: number,
    values = at + 2,
  ): StoredSnapshot<Metadata> {
    const line = text(reply[at]);
    const header = parseHeader(line);
    const counters = parseCounters(text(reply[at + 1]));
    const known = this.known.of(id);
    known.header = header;
    if (reply[values] === undefined && sent !== null) {
      known.snapshot = sent;
      return { header, counters, snapshot: sent };
    }
    const { incarnation } = header;
    const place = { sessionId: id, incarnation };
    const state = this.records.readState(bytes(reply[values]), {
      ...place,
      position: header.stateVersion,
    });
    const credentials = this.records.readCredentials(bytes(reply[values + 1]), header.tokenHash, {
      ...place,
      position: header.credentialsVersion,
    });
    const snapshot = new Snapshot<Metadata>(header.etag, state, credentials);
    known.snapshot = snapshot;
    return { header, counters, snapshot };
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
