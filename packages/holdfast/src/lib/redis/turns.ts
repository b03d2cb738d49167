import { LRUCache } from 'lru-cache';
import type { CancelTimer } from '../clock.ts';
import {
  type HoldfastError,
  LockTimeoutError,
  SessionGoneError,
  ValidationError,
} from '../errors/errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { jsonBytes } from '../json/json-value.ts';
import { assertId } from '../model/ids.ts';
import { maxOutcomeBytes } from '../model/limits.ts';
import { applyPatch } from '../model/state.ts';
import { endsTurn, type PreparedOutput, type TurnEvent } from '../model/turn-event.ts';
import {
  type BeginOptions,
  type CommitResult,
  type EffectNames,
  type Idempotency,
  type Lease,
  type TurnChanges,
  type TurnEnd,
  type TurnGrant,
  type TurnReplay,
  turnId,
} from '../store/turn-store.ts';
import type { RedisArgument } from './connection/redis-connection.ts';
import { Handovers } from './handovers.ts';
import { none, parseHeader, tokenWord, userWord } from './header.ts';
import { Inbox } from './inbox.ts';
import { word } from './keys.ts';
import type { Snapshot } from './known-sessions.ts';
import { interrupted, leaseLost, refusal } from './lease-errors.ts';
import { gone, type RedisCore, unlessRepeated } from './redis-core.ts';
import { bytes, int, type ReplyList, text } from './reply.ts';
import { scripts } from './scripts/scripts.ts';
import { Wait } from './wait.ts';
import type { Writes } from './writes.ts';

const beginKeys = 9;
const keepKeys = 9;
const leaveKeys = 9;

/** Added at random to the wait for a lease's end, so that not all who wait ask at once. */
const jitterMs = 50;

/** More leases than one process holds. */
const rememberedLeases = 10_000;

type Begun<Metadata extends object> = TurnGrant<Metadata> | TurnReplay<Metadata>;

/** Whoever commits under a lease for the first time need not ask whether it did so before. */
interface KnownLease {
  /** The session's, at the lease's grant or last checkpoint: what is tried later was not made yet. */
  version: number;
  /** By their nonces. */
  readonly commits: Set<string>;
}

/** What `begin` replied, and with what it was asked. */
interface Asked<Metadata extends object> {
  readonly reply: ReplyList;
  readonly sent: Snapshot<Metadata> | null;
  readonly sentAt: number;
}

/** Turns on Redis: what `begin` gives, how it waits, and what each write under a lease must prove. */
export class Turns<Metadata extends object> {
  readonly inbox = new Inbox();
  readonly #core: RedisCore<Metadata>;
  readonly #writes: Writes<Metadata>;
  readonly #handovers: Handovers;
  /** Begins that wait: one that is repeated meanwhile joins. */
  readonly #waiting = new Map<string, Wait<Begun<Metadata>>>();
  /** What was last known of the leases that were granted here. */
  readonly #leases = new LRUCache<string, KnownLease>({ max: rememberedLeases });
  #closed = false;

  constructor(core: RedisCore<Metadata>, writes: Writes<Metadata>) {
    this.#core = core;
    this.#writes = writes;
    this.#handovers = new Handovers(core.options.clock, (id) => this.#passOn(id));
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
    if (options.onBusy !== 'reject' || options.onLost !== undefined) this.inbox.add(nonce, wait);
    try {
      const asked = await this.#ask(id, nonce, options);
      const begun =
        text(asked.reply[0]) === 'wait'
          ? await this.#queue(id, nonce, options, wait, { reply: asked.reply, giveUpAt })
          : this.#begun(id, options, asked);
      if (begun.kind === 'granted' && options.onLost !== undefined) {
        wait.begun(options.onLost, begun.lease.fence, this.#takenAlready(id));
        return begun;
      }
      this.inbox.remove(nonce, wait);
      return begun;
    } catch (error) {
      this.inbox.remove(nonce, wait);
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
        const header = parseHeader(text(reply[2]));
        this.#handovers.saw(id, header);
        const recheckMs = header.leaseUntil - int(reply[1]) + 1 + Math.random() * jitterMs;
        await this.#wait(id, nonce, wait, options, { giveUpAt, recheckMs });
        const asked = await this.#ask(id, nonce, options);
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
    throw refusal(id, kind);
  }

  #takenAlready(id: string): HoldfastError | null {
    return this.#core.known.of(id).header?.interrupted ? interrupted(id) : null;
  }

  async #ask(id: string, nonce: string, options: BeginOptions): Promise<Asked<Metadata>> {
    const { userId, tokenHash, idempotency, leaseMs, onBusy, waitMs } = options;
    const { codec, known, options: store, inbox } = this.#core;
    const { snapshot: sent } = known.of(id);
    const sentAt = store.clock.monotonic();
    const users =
      userId === undefined ? '*' : ` ${codec.userNames(userId).map(userWord).join(' ')} `;
    const { reply } = await this.#core.run(
      scripts.begin,
      id,
      beginKeys,
      [
        ...this.#core.common(id),
        nonce,
        String(leaseMs),
        onBusy,
        String(waitMs),
        inbox,
        users,
        tokenHash === undefined ? '*' : tokenWord(tokenHash),
        idempotency === undefined ? none : word(idempotency.key),
        digestWord(idempotency),
        sent?.etag ?? none,
        store.locking ? '1' : '0',
      ],
      options.nonce,
    );
    return { reply, sent, sentAt };
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
    const timers: CancelTimer[] = [];
    const end = (why: unknown) => wait.end(why);
    const aborted = () => end(signal?.reason);
    try {
      const woken = wait.next();
      if (signal?.aborted) aborted();
      signal?.addEventListener('abort', aborted, { once: true });
      timers.push(
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
      signal?.removeEventListener('abort', aborted);
      for (const cancel of timers) cancel();
    }
  }

  async #leaveQueue(id: string, nonce: string): Promise<void> {
    try {
      await this.#leave(id, nonce, ['wait', this.#core.inbox]);
    } catch (err) {
      // Whoever waits behind passes this one over when its claim has lapsed.
      this.#core.options.logger.warn(
        { err, sessionId: id },
        'Failed to leave the queue of a session',
      );
    }
  }

  async #leave(id: string, nonce: string, args: readonly RedisArgument[]): Promise<boolean> {
    const all = [...this.#core.common(id), nonce, ...args];
    const { reply } = await this.#core.run(scripts.leave, id, leaveKeys, all, nonce);
    const line = text(reply[1]);
    if (line !== '') this.#handovers.saw(id, parseHeader(line));
    return text(reply[0]) === 'left';
  }

  /** Goes on to the next waiter where one was granted the lease and has not claimed it in time. */
  async #passOn(id: string): Promise<void> {
    try {
      await this.#leave(id, none, ['lapsed']);
    } catch (err) {
      this.#core.options.logger.debug({ err, sessionId: id }, 'Failed to pass a session on');
    }
  }

  #grant(
    id: string,
    { nonce, idempotency, leaseMs }: BeginOptions,
    { reply, sent, sentAt }: Asked<Metadata>,
  ): TurnGrant<Metadata> {
    const stored = this.#core.decode(id, sent, reply, 2, 6);
    const { header, snapshot } = stored;
    const { locking } = this.#core.options;
    this.#handovers.saw(id, header);
    const commits = this.#leases.get(nonce)?.commits ?? new Set();
    this.#leases.set(nonce, { version: header.version, commits });
    const grant: TurnGrant<Metadata> = {
      kind: 'granted',
      lease: Object.freeze({
        sessionId: id,
        incarnation: header.incarnation,
        nonce,
        fence: locking ? header.fence : unlockedFence(int(reply[1])),
        expiresAt: header.leaseUntil,
        ifVersion: locking ? null : header.version,
        idempotency,
      }),
      // A repeated begin finds a lease that was granted before it was asked for again.
      grantedAt: locking
        ? sentAt - Math.max(0, leaseMs - (header.leaseUntil - int(reply[1])))
        : sentAt,
      session: this.#core.view(id, stored),
      state: snapshot.state,
      credentials: snapshot.credentials,
      attempt: int(reply[4]),
      effects: effectsOf(text(reply[5])),
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
    const stored = this.#core.decode(id, sent, reply, 2, 6);
    const place = {
      sessionId: id,
      incarnation: stored.header.incarnation,
      position: idempotency === undefined ? '' : word(idempotency.key),
    };
    return Object.freeze({
      kind: 'replayed',
      session: this.#core.view(id, stored),
      credentials: stored.snapshot.credentials,
      outcome:
        text(reply[4]) === '1' ? this.#core.records.readOutcome(bytes(reply[5]), place) : undefined,
    });
  }

  async renew(lease: Lease, leaseMs: number): Promise<Lease> {
    if (!this.#core.options.locking) {
      const stored = await this.#core.read(lease.sessionId);
      if (stored?.header.incarnation !== lease.incarnation) throw gone(lease.sessionId);
      return lease;
    }
    const until = await this.#keep(lease, ['renew', String(leaseMs)], lease.nonce);
    return Object.freeze({ ...lease, expiresAt: until });
  }

  async emit(lease: Lease, output: readonly PreparedOutput[], nonce: string): Promise<void> {
    await this.#keep(lease, ['output', word(nonce), ...this.#output(lease, output)], nonce);
  }

  async #keep(lease: Lease, args: readonly RedisArgument[], nonce: string): Promise<number> {
    const { sessionId: id } = lease;
    const owner = this.#core.options.locking ? word(lease.nonce) : none;
    const answer = await this.#core.run(
      scripts.keep,
      id,
      keepKeys,
      [...this.#core.common(id), lease.incarnation, owner, String(lease.fence), ...args],
      nonce,
    );
    const kind = text(answer.reply[0]);
    if (kind === 'kept') return int(answer.reply[1]);
    if (kind === 'gone') throw gone(id);
    throw kind === 'interrupted' ? interrupted(id) : leaseLost(id);
  }

  async commit(lease: Lease, changes: TurnChanges, end: TurnEnd): Promise<CommitResult<Metadata>> {
    const { sessionId: id } = lease;
    const { patches = [] } = changes;
    const sections: RedisArgument[] = [];
    if (lease.idempotency !== undefined) {
      sections.push(...this.#keySection(lease, lease.idempotency, changes.effects ?? [], end));
    }
    if (changes.output !== undefined && changes.output.length > 0) {
      sections.push('output', ...this.#output(lease, changes.output));
    }
    const known = this.#leases.get(lease.nonce);
    const firstTriedAt = known?.commits.has(changes.nonce) ? undefined : known?.version;
    known?.commits.add(changes.nonce);
    const written = await this.#writes.write(id, {
      operation: 'commit',
      nonce: changes.nonce,
      firstTriedAt,
      lease,
      keepMs: end.keep ? end.leaseMs : undefined,
      state: patches.length === 0 ? undefined : (state) => patches.reduce(applyPatch, state),
      increments: changes.increments,
      messages: changes.messages,
      sections,
    });
    const { after, leaseUntil, messages } = written;
    const { locking } = this.#core.options;
    const goesOn = end.keep && (!locking || leaseUntil > 0);
    if (!goesOn) this.#forget(lease);
    else if (known !== undefined) known.version = after.header.version;
    this.#handovers.saw(id, after.header);
    const snapshot = after.snapshot ?? (await this.#core.read(id))?.snapshot;
    if (snapshot === undefined) {
      throw unlessRepeated({ repeated: true }, changes.nonce, gone(id));
    }
    const expiresAt = leaseUntil === 0 ? lease.expiresAt : leaseUntil;
    return Object.freeze({
      session: this.#core.view(id, { ...after, snapshot }, leaseUntil),
      state: snapshot.state,
      messages,
      lastSeq: after.header.lastSeq,
      lease: goesOn
        ? Object.freeze({ ...lease, expiresAt, ifVersion: locking ? null : after.header.version })
        : null,
    });
  }

  /** Gives the lease up and writes nothing but `output`. */
  async release(lease: Lease, output: readonly PreparedOutput[] = []): Promise<boolean> {
    this.#forget(lease);
    if (!this.#core.options.locking) return this.#releaseUnlocked(lease, output);
    return this.#leave(lease.sessionId, word(lease.nonce), [
      'lease',
      lease.incarnation,
      String(lease.fence),
      ...this.#output(lease, output),
    ]);
  }

  async #releaseUnlocked(lease: Lease, output: readonly PreparedOutput[]): Promise<boolean> {
    const stored = await this.#core.read(lease.sessionId);
    if (stored?.header.incarnation !== lease.incarnation) return false;
    if (output.length > 0) await this.emit(lease, output, `${lease.nonce}-end`);
    return true;
  }

  close(error: HoldfastError): void {
    this.#closed = true;
    this.#handovers.close();
    for (const wait of [...this.#waiting.values()]) wait.end(error);
  }

  #forget({ nonce }: Lease): void {
    this.#leases.delete(nonce);
    const owner = this.inbox.get(word(nonce));
    if (owner !== undefined) this.inbox.remove(word(nonce), owner);
  }

  #output(lease: Lease, output: readonly PreparedOutput[]): RedisArgument[] {
    const starts = output.some(({ type }) => type === 'turn.started');
    const last = output.at(-1);
    const ends = last !== undefined && endsTurn(last as unknown as TurnEvent);
    const { sessionId, incarnation } = lease;
    const place = { sessionId, incarnation, position: turnId(lease) };
    return [starts ? '1' : '0', ends ? '1' : '0', ...this.#core.records.output(output, place)];
  }

  #keySection(
    { sessionId, incarnation }: Lease,
    idempotency: Idempotency,
    effects: EffectNames,
    end: TurnEnd,
  ): RedisArgument[] {
    const key = word(idempotency.key);
    const outcome = end.keep ? undefined : end.outcome;
    const done = end.keep ? '0' : outcome === undefined ? '2' : '1';
    if (outcome !== undefined) assertOutcomeFits(outcome);
    return [
      'key',
      key,
      digestWord(idempotency),
      effects.length === 0 ? none : effects.join(','),
      done,
      outcome === undefined
        ? ''
        : this.#core.records.outcome(outcome, { sessionId, incarnation, position: key }),
    ];
  }
}

/** Without leases a turn's number need only differ from others': two of one session may be at work. */
function unlockedFence(now: number): number {
  return now * 1_000 + Math.floor(Math.random() * 1_000);
}

/** Digests, and the empty one of no request, stand as they are; anything else is made a word. */
function digestWord(idempotency: Idempotency | undefined): string {
  if (idempotency === undefined) return none;
  const { requestDigest } = idempotency;
  return `=${requestDigest === '' ? '' : word(requestDigest)}`;
}

function effectsOf(names: string): EffectNames {
  return names === none ? noEffects : Object.freeze(names.split(','));
}

const noEffects: EffectNames = Object.freeze([]);

function assertOutcomeFits(outcome: JsonValue): void {
  const size = jsonBytes(outcome);
  if (size <= maxOutcomeBytes) return;
  throw new ValidationError(
    `The turn returned ${size} bytes of JSON; at most ${maxOutcomeBytes} are stored under an idempotency key.`,
  );
}
