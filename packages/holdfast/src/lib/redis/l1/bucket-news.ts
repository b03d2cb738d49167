/** How a bucket stood when the server was asked about it, to judge the reply by. */
export interface Asked {
  readonly bucket: BucketNews;
  /** By the monotonic clock. */
  readonly sentAt: number;
  /** `null` while news of the bucket could be missed: then the reply shows nothing. */
  readonly epoch: number | null;
  readonly heard: number | null;
}

/** What a server has said: so many changes there were by then, and it was then. */
interface Sighting {
  readonly count: number;
  readonly sentAt: number;
  readonly serverNow: number;
}

/**
 * How far this process knows what has changed in a bucket. Each change is told with its number, and
 * every reply about the bucket brings the number of the newest: as long as all up to that were heard,
 * what is kept of the bucket's sessions is as it was at the server when that was asked.
 */
export class BucketNews {
  readonly key: string;
  /** What was kept in an earlier one may have missed a change. */
  epoch = 0;
  /** Somebody has asked for what is kept since the server was last asked. */
  wanted = false;
  /** A question about it alone, not one that came with a session, has not been answered yet. */
  isAsked = false;
  /** Told when changes may have been missed. */
  readonly watchers = new Set<() => void>();
  listening: 'no' | 'beginning' | 'yes' = 'no';
  /** When the server was last asked with the result that all had been heard; monotonic. */
  confirmedAt = Number.NEGATIVE_INFINITY;
  /** What its clock said then, in ms since the epoch. */
  serverNow = 0;
  /** Everything was heard that was told from `#base` on, up to this number. */
  #heard: number | null = null;
  #base = 0;
  /** Of what has not been heard up to yet: the first, which must not stay so, and the newest. */
  #first: Sighting | null = null;
  #newest: Sighting | null = null;

  constructor(key: string) {
    this.key = key;
  }

  asked(sentAt: number): Asked {
    const epoch = this.listening === 'yes' ? this.epoch : null;
    return { bucket: this, sentAt, epoch, heard: this.#heard };
  }

  /** Whether what was read with this reply may be kept: all that changes it from now on is heard. */
  mayKeep({ epoch }: Asked, count: number): boolean {
    return epoch === this.epoch && count >= this.#base;
  }

  /**
   * What a reply says of the bucket. @param patienceMs how long what it says may be ahead of what was
   * heard, before that counts as missed
   */
  replied(asked: Asked, count: number, serverNow: number, patienceMs: number): void {
    if (asked.epoch !== this.epoch) return;
    const { sentAt } = asked;
    // A count that is behind what had been heard when it was asked for begins anew.
    const isBehind = asked.heard !== null && count < asked.heard;
    const isLate = this.#first !== null && sentAt - this.#first.sentAt > patienceMs;
    if (isBehind || isLate) this.missed(count);
    if (this.#heard === null) this.#heard = this.#base = count;
    const sighting = { count, sentAt, serverNow };
    if (count <= this.#heard) {
      this.#confirm(sighting);
    } else {
      this.#first ??= sighting;
      if (this.#newest === null || count >= this.#newest.count) this.#newest = sighting;
    }
  }

  /** A change was told. @returns whether none was missed before it */
  hear(count: number): boolean {
    if (this.#heard === null) {
      this.#heard = this.#base = count;
    } else if (count === this.#heard + 1) {
      this.#heard = count;
    } else if (count > this.#base) {
      // Some are missing, or the numbers begin anew.
      this.missed(count);
      return false;
    }
    if (this.#newest !== null && this.#newest.count <= this.#heard) {
      this.#confirm(this.#newest);
      this.#first = this.#newest = null;
    } else if (this.#first !== null && this.#first.count <= this.#heard) {
      this.#confirm(this.#first);
      this.#first = this.#newest;
    }
    return true;
  }

  /** Nothing of what is kept can be relied on. `count`: from where on it is heard again, if that is known. */
  missed(count: number | null = null): void {
    this.epoch += 1;
    this.#heard = count;
    this.#base = count ?? 0;
    this.#first = this.#newest = null;
    this.confirmedAt = Number.NEGATIVE_INFINITY;
    for (const tell of this.watchers) tell();
  }

  #confirm({ sentAt, serverNow }: Sighting): void {
    if (sentAt <= this.confirmedAt) return;
    this.confirmedAt = sentAt;
    this.serverNow = serverNow;
  }
}
