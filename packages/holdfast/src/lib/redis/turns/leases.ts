import { LRUCache } from 'lru-cache';
import type { Lease } from '../../store/turn-store.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import type { StoredSnapshot } from '../known/snapshot.ts';
import { none, parseHeader } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { scripts } from '../scripts/scripts.ts';
import { Handovers } from './handovers.ts';
import { Inbox } from './inbox.ts';

const leaveKeys = 9;

/** More leases than one process holds. */
const rememberedLeases = 10_000;

/** Whoever commits under a lease for the first time need not ask whether it did so before. */
export interface KnownLease {
  /** The session's, at the lease's grant or last checkpoint: what is tried later was not made yet. */
  version: number;
  /** By their nonces. */
  readonly commits: Set<string>;
}

/** What this instance knows of leases: of those that it holds or waits for, and those that it handed on. */
export class Leases<Metadata extends object> {
  readonly inbox = new Inbox();
  readonly handovers: Handovers;
  readonly #core: RedisCore<Metadata>;
  readonly #channels = new Map<string, Promise<void> | 'open'>();
  /** By their nonces, those that were granted here. */
  readonly #known = new LRUCache<string, KnownLease>({ max: rememberedLeases });

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
    this.handovers = new Handovers(core.options.clock, (id) => this.#passOn(id));
  }

  /**
   * Before this instance asks for a lease of the session: it must hear what becomes of it. Undefined
   * when it does already.
   */
  openInbox(id: string): Promise<void> | undefined {
    const { keys, link, inbox } = this.#core;
    const channel = `${keys.inboxPrefix(id)}${inbox}`;
    const known = this.#channels.get(channel);
    if (known !== undefined) return known === 'open' ? undefined : known;
    const opening = link.subscribe(channel, this.inbox.receive).then(
      () => {
        this.#channels.set(channel, 'open');
      },
      (error: unknown) => {
        this.#channels.delete(channel);
        throw error;
      },
    );
    this.#channels.set(channel, opening);
    return opening;
  }

  get(nonce: string): KnownLease | undefined {
    return this.#known.get(nonce);
  }

  /** It was granted, or is held already, on the session as it is there. */
  granted(id: string, nonce: string, { header, snapshot }: StoredSnapshot<Metadata>): void {
    const commits = this.#known.get(nonce)?.commits ?? new Set();
    this.#known.set(nonce, { version: header.version, commits });
    this.#core.known.sessions.turnBegan(id, nonce, snapshot);
  }

  forget({ sessionId, nonce }: Lease): void {
    this.#known.delete(nonce);
    this.#core.known.sessions.turnEnded(sessionId, nonce);
    const owner = this.inbox.get(word(nonce));
    if (owner !== undefined) this.inbox.remove(word(nonce), owner);
  }

  /** Gives up what `args` say. @returns whether there was anything */
  async leave(id: string, nonce: string, args: readonly RedisArgument[]): Promise<boolean> {
    const all = [...this.#core.calls.common(id), nonce, ...args];
    const { reply } = await this.#core.calls.run(scripts.leave, id, leaveKeys, all, nonce);
    const line = text(reply[1]);
    if (line !== '') this.handovers.saw(id, parseHeader(line));
    return text(reply[0]) === 'left';
  }

  /** Goes on to the next waiter where one was granted the lease and has not claimed it in time. */
  async #passOn(id: string): Promise<void> {
    try {
      await this.leave(id, none, ['lapsed']);
    } catch (err) {
      this.#core.options.logger.debug({ err, sessionId: id }, 'Failed to pass a session on');
    }
  }
}
