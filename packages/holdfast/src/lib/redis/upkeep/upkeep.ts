import { SessionBusyError } from '../../errors/errors.ts';
import type { UnreadableSession } from '../../store/unreadable.ts';
import { text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { whyUnreadable } from '../core/unreadable.ts';
import type { HistoryReader } from '../reads/history.ts';
import type { Listing } from '../reads/listing.ts';
import type { Removals } from '../sessions/removals.ts';
import type { UserEntry, UserIndex } from '../sessions/user-index.ts';
import { type Holdings, HoldingsReader } from './holdings.ts';
import { Importing } from './importing.ts';
import { inspectServers, type ServerInspection } from './inspection.ts';
import { Rekeying, type RekeyOptions, type RekeyProgress } from './rekeying.ts';

interface Parts<Metadata extends object> {
  readonly core: RedisCore<Metadata>;
  readonly listing: Listing<Metadata>;
  readonly history: HistoryReader<Metadata>;
  readonly removals: Removals<Metadata>;
  readonly users: UserIndex<Metadata>;
}

const graveKey = 10;
const keysAtOnce = '500';
const entriesAtOnce = 200;
const eraseTries = 3;

/** What operators do with a store on Redis by the command line, and its users do not. */
export class Upkeep<Metadata extends object> {
  readonly #parts: Parts<Metadata>;

  constructor(parts: Parts<Metadata>) {
    this.#parts = parts;
  }

  /** All that is held of a session; `null` when there is none. @throws DecryptionError */
  holdings(id: string): Promise<Holdings<Metadata> | null> {
    const { core, history } = this.#parts;
    return new HoldingsReader(core, history).of(id);
  }

  /** The ids in the user's index: of the user's sessions, and maybe of some that are not any more. */
  async entriesOf(userId: string): Promise<readonly UserEntry[]> {
    const entries: UserEntry[] = [];
    for (let after = 0; ; after = entries.at(-1)?.order ?? after) {
      const page = await this.#parts.users.page(userId, after, entriesAtOnce);
      entries.push(...page);
      if (page.length < entriesAtOnce) return entries;
    }
  }

  /**
   * Ends every session of the user, those that have expired or that no key opens too, and takes away what otherwise
   * stays of one for a minute. Of those that went by themselves, or by somebody else, within the last minute that remains.
   *
   * @returns how many sessions there were
   * @throws SessionBusyError when the user goes on beginning sessions
   */
  async eraseUser(userId: string, signal?: AbortSignal): Promise<number> {
    const { core, removals, users } = this.#parts;
    const { keys, link } = core;
    let erased = 0;
    for (let left = eraseTries; left > 0; left -= 1) {
      signal?.throwIfAborted();
      const entries = await this.entriesOf(userId);
      erased += await removals.deleteUser(userId, { signal });
      // Nobody can read one that has expired; what it holds is there until it is removed.
      const buckets = new Set(entries.map(({ id }) => keys.bucketOf(id)));
      await removals.removeExpired(signal, [...buckets]);
      for (const { id } of entries) {
        signal?.throwIfAborted();
        await link.command(['UNLINK', keys.session(id)[graveKey]]);
        // What it was imported from is not remembered either: an original that is still there would be new again.
        await link.command(['HDEL', keys.imports(keys.bucketOf(id)), id]);
      }
      await users.heal(userId, entries);
      if (await users.forget(userId)) return erased;
    }
    throw new SessionBusyError(
      'The user goes on beginning sessions: end that first, and run it again. What there was is erased.',
    );
  }

  /**
   * Tries to read sessions, some of all there are: whether the keys are those that wrote them.
   *
   * @returns how many were tried, and those that cannot be read
   */
  async tryKeys(
    most: number,
  ): Promise<{ sessions: number; unreadable: readonly UnreadableSession[] }> {
    const { core, listing } = this.#parts;
    const unreadable: UnreadableSession[] = [];
    let sessions = 0;
    for await (const { ids } of listing.ids()) {
      for (const id of ids.slice(0, most - sessions)) {
        sessions += 1;
        try {
          await core.stored.read(id);
        } catch (error) {
          const why = whyUnreadable(id, error);
          if (why === null) throw error;
          unreadable.push(why);
        }
      }
      if (sessions >= most) break;
    }
    return { sessions, unreadable };
  }

  /**
   * Encodes all that is stored with the first key of the codec's ring, while sessions are in use. What
   * an earlier run for the same key has done is not done again.
   * @throws StoreUnavailableError
   */
  rekey(options: RekeyOptions = {}): Promise<RekeyProgress> {
    const { core, listing, users } = this.#parts;
    return new Rekeying(core, users).run((range) => listing.ids(range), options);
  }

  /** Takes over sessions of another system. */
  importing(): Importing<Metadata> {
    const { core, removals, users } = this.#parts;
    return new Importing(core, users, removals);
  }

  /** How each server that takes writes is set up, and how it does. */
  inspect(): Promise<readonly ServerInspection[]> {
    return inspectServers(this.#parts.core.link);
  }

  /**
   * Removes every key behind the prefix: for a namespace that nobody else uses, as a benchmark has. Goes
   * through all keys of the server.
   */
  async dropNamespace(): Promise<void> {
    const { link, keys } = this.#parts.core;
    const pattern = `${keys.prefix.replace(/[\\*?[\]]/g, '\\$&')}*`;
    for (const server of link.servers()) {
      let cursor = '0';
      do {
        const reply = await server.command(['SCAN', cursor, 'MATCH', pattern, 'COUNT', keysAtOnce]);
        const [next, found] = reply as readonly [Buffer, readonly Buffer[]];
        cursor = text(next);
        await Promise.all(found.map((key) => link.command(['UNLINK', text(key)])));
      } while (cursor !== '0');
    }
  }
}
