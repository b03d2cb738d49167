import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * The names of all keys. A session's keys and its bucket's carry the bucket as hash tag, so that they
 * share a slot of a cluster and one script may change them together; a user's carry the user's.
 */
export class Keys {
  readonly prefix: string;
  readonly buckets: number;
  /** Whether a channel must share its slot with what it tells of. */
  readonly #areChannelsSharded: boolean;

  constructor(prefix: string, buckets: number, areChannelsSharded = false) {
    this.prefix = prefix;
    this.buckets = buckets;
    this.#areChannelsSharded = areChannelsSharded;
  }

  bucketOf(name: string): number {
    return crc32(name) % this.buckets;
  }

  /** In the order of the scripts' KEYS; each script takes as many as it names. */
  session(id: string): SessionKeys {
    const bucket = this.bucketOf(id);
    const own = (type: string) => `${this.prefix}${type}:{${bucket}}:${id}`;
    return [
      own('s'),
      own('q'),
      own('o'),
      own('e'),
      this.expiry(bucket),
      this.leases(bucket),
      this.waiters(bucket),
      own('m'),
      own('r'),
      this.statuses(bucket),
      own('g'),
      this.all(bucket),
      this.#ofBucket('b', bucket),
      this.news(bucket),
    ];
  }

  user(name: string): readonly [string, string] {
    const tag = this.bucketOf(name);
    return [`${this.prefix}u:{${tag}}:${name}`, `${this.prefix}v:{${tag}}:${name}`];
  }

  /** Sessions by when to look whether they have expired. */
  expiry(bucket: number): string {
    return this.#ofBucket('x', bucket);
  }

  leases(bucket: number): string {
    return this.#ofBucket('l', bucket);
  }

  waiters(bucket: number): string {
    return this.#ofBucket('w', bucket);
  }

  /** "status:id" of the sessions that are not active. */
  statuses(bucket: number): string {
    return this.#ofBucket('y', bucket);
  }

  /** How many changes there were in the bucket, and the channel on which they are told. */
  news(bucket: number): string {
    return this.#ofBucket('n', bucket);
  }

  /** Which instance removes what has expired in a lane of buckets. */
  cleaner(lane: number): string {
    return `${this.prefix}c:${lane}`;
  }

  all(bucket: number): string {
    return this.#ofBucket('a', bucket);
  }

  /** What sessions were imported from, by id. */
  imports(bucket: number): string {
    return this.#ofBucket('p', bucket);
  }

  /**
   * What the channels begin with on which instances are told of the session's leases. Only those of
   * slots have braces: so scripts tell which kind they are.
   */
  inboxPrefix(id: string): string {
    return this.#areChannelsSharded
      ? `${this.prefix}i:{${this.bucketOf(id)}}:`
      : `${this.prefix}i:`;
  }

  /** Where the replicas of the key's server are waited for; in the key's slot. */
  mark(key: string): string {
    return `${this.prefix}d:{${/\{(.*?)\}/.exec(key)?.[1] ?? ''}}`;
  }

  /** What all instances must agree on. */
  get namespace(): string {
    return `${this.prefix}namespace`;
  }

  /** How often something happened in its present window. */
  rate(name: string): string {
    return `${this.prefix}t:{${this.bucketOf(name)}}:${name}`;
  }

  probe(nonce: string): string {
    return `${this.prefix}health:${nonce}`;
  }

  #ofBucket(type: string, bucket: number): string {
    return `${this.prefix}${type}:{${bucket}}`;
  }
}

/** Where a session's keys have the bucket's news. */
export const newsKey = 13;

export type SessionKeys = readonly [
  session: string,
  queue: string,
  outcomes: string,
  liveOutput: string,
  expiry: string,
  leases: string,
  waiters: string,
  messages: string,
  recentWrites: string,
  statuses: string,
  grave: string,
  all: string,
  bucket: string,
  news: string,
];

/** Whether a key that has this behind the prefix is one of those above. Only some types are strings. */
export function isOwnKey(rest: string): boolean {
  return /^(?:[a-z]:\{\d+\}(?::.*)?|c:\d+|health:.*|namespace|rekey)$/s.test(rest);
}

const plainName = /^[A-Za-z0-9_-]{2,64}$/;

/** A nonce or key as scripts take it: without what they use to tell words apart. */
export function word(name: string): string {
  return plainName.test(name) ? name : createHash('sha256').update(name).digest('base64url');
}
