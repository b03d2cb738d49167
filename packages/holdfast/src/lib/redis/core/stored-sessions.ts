import { SessionNotFoundError } from '../../errors/errors.ts';
import { assertId } from '../../model/ids.ts';
import type { MetadataReader } from '../../model/metadata.ts';
import type { Session } from '../../model/session.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import { bytesOrNull, list, type ReplyList, text } from '../connection/reply.ts';
import { PutBackError } from '../known/floors.ts';
import { Snapshot, type StoredSnapshot, viewOf } from '../known/snapshot.ts';
import { none, parseCounters, parseHeader, tokenWord } from '../layout/header.ts';
import { newsKey } from '../layout/keys.ts';
import type { Records } from '../layout/records.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Knowledge, Sent } from './knowledge.ts';
import { incomplete, notFound } from './refusals.ts';

export interface StoredSessionsOptions<Metadata extends object> {
  readonly link: RedisLink;
  readonly known: Knowledge<Metadata>;
  readonly records: Records;
  readonly readMetadata: MetadataReader<Metadata>;
}

/** Sessions as they are stored: asked for, decoded, and shown. */
export class StoredSessions<Metadata extends object> {
  readonly #link: RedisLink;
  readonly #known: Knowledge<Metadata>;
  readonly #records: Records;
  readonly #readMetadata: MetadataReader<Metadata>;

  constructor({ link, known, records, readMetadata }: StoredSessionsOptions<Metadata>) {
    this.#link = link;
    this.#known = known;
    this.#records = records;
    this.#readMetadata = readMetadata;
  }

  /**
   * The session as it is at this instant; `null` when there is none, or its token has not the hash that
   * is given: the two replies are the same.
   */
  async read(id: string, tokenHash?: string): Promise<StoredSnapshot<Metadata> | null> {
    assertId(id, 'A session id');
    const sent = this.#known.sent(id);
    const { keys } = this.#known.of(id);
    const etag = sent.snapshot?.etag ?? none;
    const token = tokenHash === undefined ? '*' : tokenWord(tokenHash);
    const reply = list(
      await this.#link.call(scripts.read, [keys[0], keys[newsKey]], [etag, token]),
    );
    if (reply.length === 0) {
      // Of a session whose token is another one nothing was learned.
      if (tokenHash === undefined) this.#known.sawNone(id, sent);
      return null;
    }
    try {
      const stored = this.decode(id, sent, reply, 2);
      this.#known.keep(id, sent, stored, reply, 0);
      return stored;
    } catch (error) {
      if (error instanceof SessionNotFoundError) return null;
      if (await this.isElsewhere(id, error)) return this.read(id, tokenHash);
      throw error;
    }
  }

  /** @throws SessionNotFoundError */
  async require(id: string): Promise<StoredSnapshot<Metadata>> {
    const stored = await this.read(id);
    if (stored === null) throw notFound(id);
    return stored;
  }

  /**
   * Whether a session seems to have been put back because the server has become another one, on the
   * same connection: it was a replica meanwhile. Then reading it again finds out.
   */
  async isElsewhere(id: string, error: unknown): Promise<boolean> {
    const [key] = this.#known.of(id).keys;
    return error instanceof PutBackError && (await this.#link.identify(key));
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
    this.#known.assertGenuine(id, header, sent.floor);
    if (reply[values] === undefined && sent.snapshot !== null) {
      const { snapshot } = sent;
      this.#known.note(id, sent, header, snapshot);
      return { header, counters, snapshot };
    }
    const { incarnation } = header;
    const place = { sessionId: id, incarnation };
    const position = header.stateVersion;
    const [sealed, sealedCredentials] = [reply[values], reply[values + 1]].map(bytesOrNull);
    if (!sealed || !sealedCredentials) throw incomplete(id);
    const state = this.#records.readState(sealed, { ...place, position }, header);
    const credentials = this.#records.readCredentials(sealedCredentials, header.tokenHash, {
      ...place,
      position: header.credentialsVersion,
    });
    const snapshot = new Snapshot<Metadata>(header.etag, state, credentials);
    this.#known.note(id, sent, header, snapshot);
    return { header, counters, snapshot };
  }

  /** As readers see it. `leaseUntil`: until when a lease holds off the idle expiry. */
  view(id: string, stored: StoredSnapshot<Metadata>, leaseUntil?: number): Session<Metadata> {
    return viewOf(id, stored, this.#readMetadata, leaseUntil);
  }
}
