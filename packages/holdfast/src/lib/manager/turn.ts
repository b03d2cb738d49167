import type { Clock } from '../clock.ts';
import { ValidationError } from '../errors/errors.ts';
import { type JsonObject, type JsonValue, jsonDigest } from '../json/json-value.ts';
import { randomId } from '../model/ids.ts';
import {
  type Message,
  type NewMessage,
  type PreparedMessage,
  placeMessage,
  prepareMessage,
} from '../model/message.ts';
import type { Session, SessionPatch, SessionState } from '../model/session.ts';
import {
  applyPatch,
  assertIncrement,
  incremented,
  type ParsedPatch,
  parsePatch,
} from '../model/state.ts';
import { type LiveOutput, prepareOutput } from '../model/turn-event.ts';
import type { SessionStore } from '../store/session-store.ts';
import type { CommitResult, TurnChanges, TurnGrant } from '../store/turn-store.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { LiveOutputWriter } from './live-output.ts';

export interface TurnParts<Metadata extends object> {
  readonly store: SessionStore<Metadata, never>;
  readonly grant: TurnGrant<Metadata>;
  readonly keeper: LeaseKeeper;
  readonly output: LiveOutputWriter;
  /** Whether an idempotency key makes repeats possible, so that effects must be told apart. */
  readonly keyed: boolean;
  readonly clock: Clock;
  readonly clientChanges: readonly string[];
  /** Commits what there is, and keeps the lease. */
  readonly checkpoint: (changes: TurnChanges) => Promise<CommitResult<Metadata>>;
}

const noEffects: ReadonlySet<string> = new Set();

export interface TurnMessagesOptions {
  /** The most messages to return; all that are kept unless given. */
  readonly limit?: number | undefined;
  /** Only messages with a smaller `seq`. */
  readonly before?: number | undefined;
}

/**
 * One turn on a session, as its work sees it. Nothing that it changes is visible to others before
 * `checkpoint` or the commit at its end, and all of it is after. Once the turn has ended, every
 * method throws.
 */
export type Turn<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> = Omit<RunningTurn<Metadata, MetadataInput>, 'finish' | 'end'>;

/** A `Turn`, and what its runner needs of it besides. */
export class RunningTurn<Metadata extends object, MetadataInput extends object> {
  /** The session as it was when the turn began. */
  readonly session: Session<Metadata>;
  /** 1, or more when an earlier attempt under this idempotency key died or failed part-way. */
  readonly attempt: number;
  /** What differs from the client that the session is bound to; empty when nothing does. */
  readonly clientChanges: readonly string[];
  readonly #parts: TurnParts<Metadata>;
  /** What every method throws once the turn has ended; made when one does. */
  #ended: (() => Error) | null = null;

  /** The session with the turn's own changes. */
  #state: SessionState;
  #counters: ReadonlyMap<string, number>;
  #committed: Session<Metadata>;
  #current: Session<Metadata> | null;
  /** The history that this turn sees of others: up to here. */
  #lastSeq: number;

  #patches: ParsedPatch[] = [];
  #increments = new Map<string, number>();
  #messages: PreparedMessage[] = [];
  /** Messages of a checkpoint that is under way. */
  #committing: readonly PreparedMessage[] = [];
  /** Of a keyed turn: what earlier attempts have stored, and what this one adds. */
  readonly #storedEffects: ReadonlySet<string>;
  #newEffects: Effect[] = [];
  #appendCalls = 0;
  #incrementCalls = 0;
  #lastCheckpoint: Promise<void> = Promise.resolve();

  constructor(parts: TurnParts<Metadata>) {
    const { grant } = parts;
    this.#parts = parts;
    this.session = grant.session;
    this.attempt = grant.attempt;
    this.clientChanges = parts.clientChanges;
    this.#state = grant.state;
    this.#counters = new Map(Object.entries(grant.session.counters));
    this.#committed = grant.session;
    this.#current = grant.session;
    this.#lastSeq = grant.lastSeq;
    this.#storedEffects = parts.keyed ? new Set(grant.effects) : noEffects;
  }

  /** The session with the turn's own changes so far. Frozen, and made anew after a change. */
  get current(): Session<Metadata> {
    this.#assertRunning();
    this.#current ??= Object.freeze({
      ...this.#committed,
      userId: this.#state.userId,
      threadId: this.#state.threadId,
      status: this.#state.status,
      escalated: this.#state.escalated,
      messageCount: this.#counters.get('messageCount') ?? 0,
      counters: Object.freeze(Object.fromEntries(this.#counters)),
      metadata: this.#parts.store.readMetadata(this.#state.metadata),
    });
    return this.#current;
  }

  /**
   * Aborts when the turn must stop: its lease is lost, it was interrupted, it ran too long, or its
   * caller gave up. The reason says which.
   */
  get signal(): AbortSignal {
    return this.#parts.keeper.signal;
  }

  /**
   * The history as of the turn's beginning (or its last checkpoint), and the turn's own appends,
   * newest last. A message that is not committed yet has the `seq` it will get unless somebody
   * appends from outside.
   */
  async messages({ limit, before }: TurnMessagesOptions = {}): Promise<readonly Message[]> {
    this.#assertRunning();
    const { store, grant, clock } = this.#parts;
    const most = wholeOrUndefined(limit, 'limit') ?? Infinity;
    const end = wholeOrUndefined(before, 'before') ?? Infinity;
    const now = clock.now();
    const lastSeq = this.#lastSeq;
    const own = [...this.#committing, ...this.#messages]
      .map((message, index) => placeMessage(message, lastSeq + 1 + index, now))
      .filter((message) => message.seq < end);
    const newest = most === 0 ? [] : own.slice(-Math.min(most, own.length + 1));
    if (newest.length === most) return Object.freeze(newest);
    const stored = await store.messages(grant.session.id, {
      before: Math.min(end, lastSeq + 1),
      limit: most === Infinity ? undefined : most - newest.length,
      incarnation: grant.lease.incarnation,
    });
    return Object.freeze([...stored, ...newest]);
  }

  /** Adds a message to the history. @throws ValidationError */
  append(message: NewMessage): void {
    this.#assertRunning();
    const prepared = prepareMessage(message);
    if (this.#parts.keyed) {
      const { role, content } = prepared;
      this.#appendCalls += 1;
      if (!this.#isNew({ call: `a${this.#appendCalls}`, what: [role, content] })) return;
    }
    this.#messages.push(prepared);
  }

  /** Changes the session by a merge patch (RFC 7396). @throws ValidationError */
  update(patch: SessionPatch<MetadataInput>): void {
    this.#assertRunning();
    const parsed = parsePatch(patch);
    const state = applyPatch(this.#state, parsed);
    if (state.metadata !== this.#state.metadata) this.#parts.store.readMetadata(state.metadata);
    this.#state = state;
    this.#current = null;
    this.#patches.push(parsed);
  }

  /** Adds to a counter, which starts at 0; its value with the turn's own changes. */
  increment(name: string, by = 1): number {
    this.#assertRunning();
    assertIncrement(name, by);
    if (this.#parts.keyed) {
      this.#incrementCalls += 1;
      const isNew = this.#isNew({ call: `i${this.#incrementCalls}`, what: [name, by] });
      if (!isNew) return this.#counters.get(name) ?? 0;
    }
    const value = incremented(this.#counters, name, by);
    this.#counters = new Map(this.#counters).set(name, value);
    this.#current = null;
    this.#increments.set(name, (this.#increments.get(name) ?? 0) + by);
    return value;
  }

  /** Output for those who watch the session now; not part of its history. @throws ValidationError */
  emit(output: LiveOutput): void {
    this.#assertRunning();
    this.#parts.output.emit(prepareOutput(output));
  }

  /**
   * Commits what there is so far and keeps the lease: from here on it stays, whatever becomes of the
   * turn. If that fails the turn is over, and its signal aborts with the reason.
   */
  checkpoint(): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended());
    const checkpoint = this.#lastCheckpoint.then(() => this.#checkpoint());
    // If it fails the turn fails with it, whether or not the work waits for it.
    this.#lastCheckpoint = checkpoint.catch(() => {});
    return checkpoint;
  }

  /** Takes what is not committed yet, for the turn's last commit. */
  async finish(nonce: string): Promise<TurnChanges> {
    await this.#lastCheckpoint;
    return this.#takeChanges(nonce);
  }

  /** From now on every method throws this error. */
  end(error: () => Error): void {
    this.#ended ??= error;
  }

  async #checkpoint(): Promise<void> {
    const effects = this.#parts.keyed ? this.#newEffects.map(nameOf) : [];
    const changes = { ...this.#takeChanges(randomId()), effects };
    this.#committing = changes.messages ?? [];
    const result = await this.#parts.checkpoint(changes);
    this.#committing = [];
    this.#lastSeq = result.lastSeq;
    this.#committed = result.session;
    // What others wrote meanwhile, and on it what this turn has changed since the checkpoint.
    this.#state = this.#patches.reduce(applyPatch, result.state);
    const counters = new Map(Object.entries(result.session.counters));
    for (const [name, by] of this.#increments) counters.set(name, incremented(counters, name, by));
    this.#counters = counters;
    this.#current = null;
  }

  #takeChanges(nonce: string): TurnChanges {
    const changes: TurnChanges = {
      nonce,
      patches: this.#patches,
      increments: this.#increments,
      messages: this.#messages,
    };
    this.#patches = [];
    this.#increments = new Map();
    this.#messages = [];
    this.#newEffects = [];
    return changes;
  }

  /** Notes an effect, unless an earlier attempt has stored it. */
  #isNew(effect: Effect): boolean {
    if (this.#storedEffects.size > 0 && this.#storedEffects.has(nameOf(effect))) return false;
    this.#newEffects.push(effect);
    return true;
  }

  #assertRunning(): void {
    if (this.#ended !== null) throw this.#ended();
  }
}

/** What one call of a keyed turn does. It gets its name when that is compared or stored: most never are. */
interface Effect {
  /** The method's letter, and which call of it this is. */
  readonly call: string;
  readonly what: JsonValue;
}

function nameOf({ call, what }: Effect): string {
  return `${call}:${jsonDigest(what)}`;
}

function wholeOrUndefined(value: number | undefined, name: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new ValidationError(`${name} must be a whole number from 0, not ${value}.`);
}
