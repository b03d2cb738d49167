import type { RecordPlace } from '../../codec/codec.ts';
import {
  DecryptionError,
  type HoldfastError,
  LockTimeoutError,
  SessionGoneError,
  StoreUnavailableError,
  ValidationError,
} from '../../errors/errors.ts';
import { assertId } from '../../model/ids.ts';
import { onAbort } from '../../store/on-abort.ts';
import type { BeginOptions, Idempotency, TurnGrant, TurnReplay } from '../../store/turn-store.ts';
import { bytes, int, type ReplyList, text } from '../connection/reply.ts';
import type { Sent } from '../core/knowledge.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { gone, interrupted, unlessRepeated } from '../core/refusals.ts';
import { type Header, none, parseHeader, tokenWord, userWord } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { digestWords } from '../layout/request-digests.ts';
import { scripts } from '../scripts/scripts.ts';
import { beginRefusal } from './begin-refusal.ts';
import type { Leases } from './leases.ts';
import { Wait } from './wait.ts';

const beginKeys = 9;

/** Added at random to the wait for a lease's end, so that not all who wait ask at once. */
const jitterMs = 50;

type Begun<Metadata extends object> = TurnGrant<Metadata> | TurnReplay<Metadata>;

/** What `begin` replied, and with what it was asked. */
interface Asked<Metadata extends object> {
  readonly reply: ReplyList;
  readonly sent: Sent<Metadata>;
  readonly sentAt: number;
}

/** The begin of turns: what it gives, and how it waits. */
export class Begins<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #leases: Leases<Metadata>;
  /** Those that wait: one that is repeated meanwhile joins. */
  readonly #waiting = new Map<string, Wait<Begun<Metadata>>>();
  #closed = false;

  constructor(core: RedisCore<Metadata>, leases: Leases<Metadata>) {
    this.#core = core;
    this.#leases = leases;
  }

  begin(id: string, options: BeginOptions): Promise<Begun<Metadata>> {
    const waiting = this.#waiting.get(`${id}\n${options.nonce}`);
    return waiting === undefined ? this.#begin(id, options) : waiting.join();
  }

  async #begin(id: string, options: BeginOptions): Promise<Begun<Metadata>> {
    options.signal?.throwIfAborted();
    assertId(id, 'A session id');
    const { clock } = this.#core.options;
    const nonce = word(options.nonce);
    const giveUpAt = clock.monotonic() + options.waitMs;
    const wait = new Wait<Begun<Metadata>>(id);
    if (options.onBusy !== 'reject' || options.onLost !== undefined)
      this.#leases.inbox.add(nonce, wait);
    try {
      const opening = this.#leases.openInbox(id);
      if (opening !== undefined) await opening;
      const asked = await this.#ask(id, nonce, options);
      const begun =
        text(asked.reply[0]) === 'wait'
          ? await this.#queue(id, nonce, options, wait, { reply: asked.reply, giveUpAt })
          : this.#begun(id, options, asked);
      if (begun.kind === 'granted' && options.onLost !== undefined) {
        wait.begun(options.onLost, begun.lease.fence, this.#takenAlready(id));
        return begun;
      }
      this.#leases.inbox.remove(nonce, wait);
      // To tell an outcome is to acknowledge it: its commit may have failed for want of a replica.
      if (begun.kind === 'replayed') await this.#core.replicas.confirm(id, options.nonce);
      return begun;
    } catch (error) {
      this.#leases.inbox.remove(nonce, wait);
      // The same nonce gets the same lease.
      if (await this.#core.stored.isElsewhere(id, error)) return this.#begin(id, options);
      // What was granted cannot be read: the lease must not outlast that.
      const unreadable = error instanceof DecryptionError || error instanceof ValidationError;
      if (unreadable) await this.#leaveQueue(id, nonce);
      throw error;
    }
  }

  /** Waits in the queue until it is over, one way or the other. */
  async #queue(
    id: string,
    nonce: string,
    options: BeginOptions,
    wait: Wait<Begun<Metadata>>,
    { reply: first, giveUpAt }: { reply: ReplyList; giveUpAt: number },
  ): Promise<Begun<Metadata>> {
    const name = `${id}\n${options.nonce}`;
    this.#waiting.set(name, wait);
    try {
      for (let reply = first; ; ) {
        const header = parseHeader(text(reply[3]));
        this.#leases.handovers.saw(id, header);
        const recheckMs = header.leaseUntil - int(reply[1]) + 1 + Math.random() * jitterMs;
        await this.#wait(id, nonce, wait, options, { giveUpAt, recheckMs });
        const asked = await this.#askAgain(id, nonce, options);
        ({ reply } = asked);
        const kind = text(reply[0]);
        if (kind === 'none') throw gone(id);
        if (kind === 'wait') continue;
        const begun = this.#begun(id, options, asked);
        wait.settle(() => begun);
        return begun;
      }
    } catch (error) {
      wait.settle(() => {
        throw error;
      });
      throw error;
    } finally {
      this.#waiting.delete(name);
    }
  }

  /** @throws why the turn may not begin */
  #begun(id: string, options: BeginOptions, asked: Asked<Metadata>): Begun<Metadata> {
    const kind = text(asked.reply[0]);
    if (kind === 'granted') return this.#grant(id, options, asked);
    if (kind === 'replayed') return this.#replay(id, options, asked);
    throw beginRefusal(id, kind);
  }

  #takenAlready(id: string): HoldfastError | null {
    return this.#core.known.of(id).header?.interrupted ? interrupted(id) : null;
  }

  async #ask(id: string, nonce: string, options: BeginOptions): Promise<Asked<Metadata>> {
    const { userId, tokenHash, idempotency, leaseMs, onBusy, waitMs } = options;
    const { codec, options: store, inbox } = this.#core;
    const sent = this.#core.known.sent(id);
    const sentAt = store.clock.monotonic();
    const users =
      userId === undefined ? '*' : ` ${codec.userNames(userId).map(userWord).join(' ')} `;
    const { reply } = await this.#core.calls.run(
      scripts.begin,
      id,
      beginKeys,
      [
        ...this.#core.calls.common(id),
        nonce,
        String(leaseMs),
        onBusy,
        String(waitMs),
        inbox,
        users,
        tokenHash === undefined ? '*' : tokenWord(tokenHash),
        idempotency === undefined ? none : word(idempotency.key),
        idempotency === undefined ? none : ` ${digestWords(codec, id, idempotency).join(' ')} `,
        sent.snapshot?.etag ?? none,
        store.locking ? '1' : '0',
      ],
      options.nonce,
    );
    return { reply, sent, sentAt };
  }

  /** Whoever stands in the queue may get the lease at any time: without an answer nobody knows. */
  async #askAgain(id: string, nonce: string, options: BeginOptions): Promise<Asked<Metadata>> {
    try {
      return await this.#ask(id, nonce, options);
    } catch (error) {
      // To a store that is closed no lease is granted.
      if (!(error instanceof StoreUnavailableError) || this.#closed) throw error;
      throw unlessRepeated({ repeated: true }, options.nonce, error);
    }
  }

  /** Ends when it is worth asking again. @throws what ends the wait */
  async #wait(
    id: string,
    nonce: string,
    wait: Wait<Begun<Metadata>>,
    { signal, waitMs }: BeginOptions,
    { giveUpAt, recheckMs }: { giveUpAt: number; recheckMs: number },
  ): Promise<void> {
    const { clock } = this.#core.options;
    const leave: (() => void)[] = [];
    const end = (why: unknown) => wait.end(why);
    try {
      const woken = wait.next();
      leave.push(
        onAbort(signal, () => end(signal?.reason)),
        clock.setTimer(Math.max(giveUpAt - clock.monotonic(), 0), () =>
          end(
            new LockTimeoutError(`Failed to acquire lock for session ${id} within ${waitMs} ms.`),
          ),
        ),
        clock.setTimer(Math.max(recheckMs, 0), () => wait.granted(), { background: true }),
      );
      await woken;
    } catch (error) {
      // A session that is gone has no queue, and a store that is closed no way to it.
      const nothingToLeave = error instanceof SessionGoneError || this.#closed;
      if (!nothingToLeave) await this.#leaveQueue(id, nonce);
      throw error;
    } finally {
      for (const cancel of leave) cancel();
    }
  }

  async #leaveQueue(id: string, nonce: string): Promise<void> {
    try {
      await this.#leases.leave(id, nonce, ['wait', this.#core.inbox]);
    } catch (err) {
      // Whoever waits behind passes this one over when its claim has lapsed.
      this.#core.options.logger.warn(
        { err, sessionId: id },
        'Failed to leave the queue of a session',
      );
    }
  }

  #grant(
    id: string,
    { nonce, idempotency, leaseMs }: BeginOptions,
    { reply, sent, sentAt }: Asked<Metadata>,
  ): TurnGrant<Metadata> {
    const stored = this.#core.stored.decode(id, sent, reply, 3, 7);
    this.#core.known.keep(id, sent, stored, reply, 1);
    const { header, snapshot } = stored;
    const { locking } = this.#core.options;
    this.#leases.handovers.saw(id, header);
    // What these throw refuses the turn: nobody would end one that is noted before.
    const session = this.#core.stored.view(id, stored);
    const place = placeOf(id, header, idempotency);
    const effects = this.#core.records.readEffects(text(reply[6]), place);
    this.#leases.granted(id, nonce, stored);
    const grant: TurnGrant<Metadata> = {
      kind: 'granted',
      lease: Object.freeze({
        sessionId: id,
        incarnation: header.incarnation,
        nonce,
        fence: locking ? header.fence : unlockedFence(int(reply[1])),
        expiresAt: locking ? header.leaseUntil : int(reply[1]) + leaseMs,
        ifVersion: locking ? null : header.version,
        idempotency,
      }),
      // A repeated begin finds a lease that was granted before it was asked for again.
      grantedAt: locking
        ? sentAt - Math.max(0, leaseMs - (header.leaseUntil - int(reply[1])))
        : sentAt,
      session,
      state: snapshot.state,
      credentials: snapshot.credentials,
      attempt: int(reply[5]),
      effects,
      lastSeq: header.lastSeq,
      lastEventSeq: header.lastEventSeq,
    };
    return Object.freeze(grant);
  }

  #replay(
    id: string,
    { idempotency }: BeginOptions,
    { reply, sent }: Asked<Metadata>,
  ): TurnReplay<Metadata> {
    const stored = this.#core.stored.decode(id, sent, reply, 3, 7);
    const place = placeOf(id, stored.header, idempotency);
    return Object.freeze({
      kind: 'replayed',
      session: this.#core.stored.view(id, stored),
      credentials: stored.snapshot.credentials,
      outcome:
        text(reply[5]) === '1' ? this.#core.records.readOutcome(bytes(reply[6]), place) : undefined,
    });
  }

  close(error: HoldfastError): void {
    this.#closed = true;
    for (const wait of [...this.#waiting.values()]) wait.end(error);
  }
}

/** Without leases a turn's number need only differ from others': two of one session may be at work. */
function unlockedFence(now: number): number {
  return now * 1_000 + Math.floor(Math.random() * 1_000);
}

/** Where what is known under an idempotency key is bound to. */
function placeOf(
  sessionId: string,
  { incarnation }: Header,
  idempotency: Idempotency | undefined,
): Omit<RecordPlace, 'kind'> {
  const position = idempotency === undefined ? '' : word(idempotency.key);
  return { sessionId, incarnation, position };
}
