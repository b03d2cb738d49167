import { LRUCache } from 'lru-cache';
import { DecryptionError } from '../../errors/errors.ts';
import type { Logger } from '../../store/emitter.ts';
import type { StoreEvents } from '../../store/store-events.ts';
import type { Header } from '../layout/header.ts';

/** Sessions of which it is remembered how far they had come, or that they have ended. */
const rememberedSessions = 10_000;

/** How far a session had come, as a server said. */
export interface Floor {
  readonly header: Header;
  /** Which server (`RedisLink.server`). */
  readonly server: string;
}

/**
 * What this process has seen of sessions, against somebody who puts genuine old records back into
 * Redis: an older version from the same server is refused. From another server it is what a failover
 * has left, and accepted. A process that never saw the newer version can't notice.
 *
 * A reply is compared with what was known when it was asked for: replies may be looked at in another
 * order than the one in which they came.
 */
export class Floors {
  readonly #floors = new LRUCache<string, Floor>({ max: rememberedSessions });
  readonly #ended = new LRUCache<string, true>({ max: rememberedSessions });
  readonly #logger: Logger;
  readonly #onLost: (lost: StoreEvents['lostWrites']) => void;

  constructor(logger: Logger, onLost: (lost: StoreEvents['lostWrites']) => void) {
    this.#logger = logger;
    this.#onLost = onLost;
  }

  of(id: string): Floor | undefined {
    return this.#floors.get(id);
  }

  /** @returns whether what is known of the session is still true. @throws PutBackError */
  check(id: string, header: Header, asked: Floor | undefined, server: string): boolean {
    const floor = asked?.header;
    if (floor === undefined) return true;
    const wrong = contradiction(floor, header);
    if (wrong === null) return true;
    if (asked?.server === server) {
      throw new PutBackError(
        `Session ${id} was put back: ${wrong}, and the server is the same. If you restored a backup, restart the instances; otherwise somebody else writes to this Redis.`,
      );
    }
    const lost = { sessionId: id, knownVersion: floor.version, version: header.version };
    this.#logger.warn(lost, 'A session is older on this server than it was on the one before');
    this.#floors.delete(id);
    this.#onLost(lost);
    return false;
  }

  /** What a server has said; less than what is known changes nothing. */
  raise(id: string, header: Header, server: string): void {
    const known = this.#floors.get(id);
    const same = known?.server === server && known.header.incarnation === header.incarnation;
    if (same && known.header.version > header.version) return;
    this.#floors.set(id, { header, server });
  }

  /** The session has ended: what looks like it from now on was put there. */
  ended(id: string, incarnation: string): void {
    this.#floors.delete(id);
    this.#ended.set(`${id}\n${incarnation}`, true);
  }

  hasEnded(id: string, incarnation: string): boolean {
    return this.#ended.has(`${id}\n${incarnation}`);
  }
}

/** A session is not what the same server had of it before. */
export class PutBackError extends DecryptionError {
  constructor(message: string) {
    super(message, { isDamaged: true });
  }
}

/** What cannot be true of a session after what was true of it before; `null` when all can. */
function contradiction(before: Header, after: Header): string | null {
  if (after.incarnation !== before.incarnation) {
    // The fencing tokens of a bucket only grow; without a turn in between there is but the clock.
    const isEarlier =
      after.fence < before.fence ||
      (after.fence === before.fence && after.createdAt < before.createdAt);
    return isEarlier ? 'it is an earlier session of this id' : null;
  }
  if (after.version < before.version)
    return `it is at version ${after.version}, after ${before.version}`;
  if (after.stateVersion < before.stateVersion) return 'its state is an older one';
  if (after.credentialsVersion < before.credentialsVersion) return 'its credentials are older ones';
  if (after.lastSeq < before.lastSeq) return 'it has fewer messages';
  if (
    after.createdAt !== before.createdAt ||
    after.absoluteExpiresAt !== before.absoluteExpiresAt
  ) {
    return 'its times are others';
  }
  const sameCredentials = after.credentialsVersion === before.credentialsVersion;
  return sameCredentials && after.tokenHash !== before.tokenHash ? 'its token is another' : null;
}
