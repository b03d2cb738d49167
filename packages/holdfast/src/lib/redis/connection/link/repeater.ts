import {
  type HoldfastError,
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../../errors/errors.ts';
import type { CoarseTimer } from '../coarse-timer.ts';
import type { LiveConnection } from '../nodes/live-connection.ts';
import type { RedisNode } from '../nodes/redis-node.ts';
import type { ScriptLoader } from '../nodes/script-loader.ts';
import { Pauses } from '../pauses.ts';
import type { RedisAddress } from '../redis-address.ts';
import {
  ConnectionLostError,
  type RedisArgument,
  type RedisReply,
  RedisReplyError,
  RedisTimeoutError,
} from '../redis-connection.ts';
import { isPassing, outcomeUnknown, runningFailure, surelyNotExecuted } from '../redis-failure.ts';
import type { Routes } from '../routes/routes.ts';

/** A call that did not succeed at its first attempt, or found no connection for one. */
export interface Call {
  readonly args: readonly RedisArgument[];
  /** Whose slot says where it goes; undefined for what any server can answer. */
  readonly key: string | undefined;
  /** The script's or command's name. */
  readonly about: string;
  /** Of a write. */
  readonly nonce: string | undefined;
  /** By `performance.now()`, for all attempts together. */
  readonly deadline: number;
  readonly report: CallReport | undefined;
}

/** For a caller who needs to know more than the reply. */
export interface CallReport {
  /** Set once an attempt was lost that may have taken effect: the reply may be a repetition's. */
  repeated: boolean;
  /** By `performance.now()`, where the call is a part of something that has begun before. */
  readonly deadline?: number | undefined;
}

export interface RepeaterOptions {
  readonly address: RedisAddress;
  readonly routes: Routes;
  readonly timer: CoarseTimer;
  readonly scripts: ScriptLoader;
  /** Attempts after the first. */
  readonly retries: number;
}

/** Somebody who flushes the scripts more often than this during one call does it on purpose. */
const maxReloads = 3;
const minPauseMs = 20;
const maxPauseMs = 500;

export const closedError = () => new StoreUnavailableError('The session store was closed.');

/** Of a write that was on its way. */
function closedAfter(nonce: string): OutcomeUnknownError {
  const message = 'The session store was closed. A write under way may have taken effect.';
  return new OutcomeUnknownError(message, { cause: closedError(), nonce });
}

/** Everything about a call but its usual case: waiting for a connection, repeating, giving up. */
export class Repeater {
  readonly #options: RepeaterOptions;
  readonly #pauses = new Pauses();
  #isClosed = false;

  constructor(options: RepeaterOptions) {
    this.#options = options;
  }

  /**
   * @param failure of the attempt that was made
   * @param live the connection on which it was made, if there was one
   */
  async finish(call: Call, failure?: unknown, live?: LiveConnection): Promise<RedisReply> {
    const progress = new Progress(this.#options.retries);
    let last = failure;
    let used = live;
    for (;;) {
      if (used !== undefined) {
        progress.note(last);
        if (call.report !== undefined) call.report.repeated = progress.mayHaveRun;
        if (progress.isOver) throw this.#final(call, progress, last);
        last = (await this.#recover(call, progress, last, used)) ?? last;
      }
      if (performance.now() >= call.deadline) throw this.#final(call, progress, last);
      const place = progress.takeDetour();
      used = await this.#connection(call, progress, place);
      try {
        return await this.#send(call, used, place !== undefined);
      } catch (error) {
        last = error;
      }
    }
  }

  /** Before the connections end: so every call learns why. */
  close(): void {
    this.#isClosed = true;
    this.#pauses.end();
  }

  /** @throws Error unless it makes sense to try again now */
  async #recover(
    call: Call,
    progress: Progress,
    failure: unknown,
    live: LiveConnection,
  ): Promise<unknown> {
    if (!(failure instanceof RedisReplyError)) {
      // The keeper has yet to hear of the loss; until then it would hand out the same connection.
      if (this.#nodeFor(call).commands.current === live) await this.#pauses.wait(1);
      return undefined;
    }
    if (this.#isRedirected(call, progress, failure)) return undefined;
    // Another server may be the primary by now: a new connection finds it.
    if (failure.code === 'READONLY') live.connection.destroy(failure);
    let passing = failure;
    if (failure.code === 'NOSCRIPT' && progress.reloads < maxReloads) {
      progress.reloads += 1;
      const trouble = await this.#reload(call, live);
      if (!(trouble instanceof RedisReplyError)) return trouble;
      passing = trouble;
    }
    const pauseMs = progress.nextPause();
    const hasTime = performance.now() + pauseMs < call.deadline;
    if (!isPassing(passing) || !hasTime) throw this.#final(call, progress, passing);
    await this.#pauses.wait(pauseMs);
    return passing;
  }

  async #reload(call: Call, live: LiveConnection): Promise<unknown> {
    const { scripts, timer } = this.#options;
    try {
      await timer.within(scripts.reload(live), call.deadline, late);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #nodeFor({ key }: Call): RedisNode {
    return this.#options.routes.nodeFor(key);
  }

  /** Whether the server says that another one has the slot, and it is known which. */
  #isRedirected(call: Call, progress: Progress, { code, message }: RedisReplyError): boolean {
    if (code !== 'MOVED' && code !== 'ASK') return false;
    // Two servers that each name the other one are not asked in turn as fast as they answer.
    if (!progress.mayFollow()) return false;
    const node = this.#options.routes.redirected(message, this.#nodeFor(call));
    if (node === null) return false;
    if (code === 'ASK') progress.detour = node;
    return true;
  }

  async #connection(call: Call, progress: Progress, detour?: RedisNode): Promise<LiveConnection> {
    for (;;) {
      const node = detour ?? this.#nodeFor(call);
      try {
        return await node.commands.ready(call.deadline);
      } catch (error) {
        // Its slots have gone to another node meanwhile.
        if (detour === undefined && this.#nodeFor(call) !== node) continue;
        const isLate = error instanceof RedisTimeoutError;
        throw this.#final(call, progress, isLate ? (node.commands.lastFailure ?? error) : error);
      }
    }
  }

  #send(call: Call, live: LiveConnection, isDetour: boolean): Promise<RedisReply> {
    const reply = live.track((connection) => {
      // It holds for the next command on the connection, which is this one.
      if (isDetour) connection.send(['ASKING']).catch(() => {});
      return connection.send(call.args);
    });
    return this.#options.timer.within(reply, call.deadline, late);
  }

  #final(call: Call, { mayHaveRun }: Progress, failure: unknown): HoldfastError {
    const { address } = this.#options;
    const { about, nonce } = call;
    const isUnknown = mayHaveRun && nonce !== undefined;
    if (this.#isClosed) return isUnknown ? closedAfter(nonce) : closedError();
    return isUnknown
      ? outcomeUnknown(address, failure, { about, nonce })
      : runningFailure(address, failure, about);
  }
}

const late = () => new RedisTimeoutError('The call ran out of time.');

/** What the attempts so far came to. */
class Progress {
  reloads = 0;
  /** Where to ask once, and only this time. */
  detour: RedisNode | undefined;
  #follows = 0;
  /** Once a reply was lost, no later refusal says that nothing happened. */
  mayHaveRun = false;
  #attemptsLeft: number;
  #pauses = 0;

  constructor(retries: number) {
    this.#attemptsLeft = retries + 1;
  }

  get isOver(): boolean {
    return this.#attemptsLeft <= 0;
  }

  note(failure: unknown): void {
    const isLost = failure instanceof ConnectionLostError || failure instanceof RedisTimeoutError;
    if (!isLost || surelyNotExecuted(failure)) return;
    this.mayHaveRun = true;
    this.#attemptsLeft -= 1;
  }

  takeDetour(): RedisNode | undefined {
    const { detour } = this;
    this.detour = undefined;
    return detour;
  }

  /** Every other redirection is followed at once; after the others there is a pause. */
  mayFollow(): boolean {
    this.#follows += 1;
    return this.#follows % 3 !== 0;
  }

  nextPause(): number {
    const full = Math.min(minPauseMs * 2 ** this.#pauses, maxPauseMs);
    this.#pauses += 1;
    return full * (0.5 + Math.random() / 2);
  }
}
