import { type HoldfastError, StoreUnavailableError } from '../../errors/errors.ts';
import type { CoarseTimer } from './coarse-timer.ts';
import type { ConnectionKeeper } from './connection-keeper.ts';
import type { LiveConnection } from './live-connection.ts';
import { Pauses } from './pauses.ts';
import type { RedisAddress } from './redis-address.ts';
import {
  ConnectionLostError,
  type RedisArgument,
  type RedisReply,
  RedisReplyError,
  RedisTimeoutError,
} from './redis-connection.ts';
import { isPassing, outcomeUnknown, runningFailure, surelyNotExecuted } from './redis-failure.ts';
import type { ScriptLoader } from './script-loader.ts';

/** A call that did not succeed at its first attempt, or found no connection for one. */
export interface Call {
  readonly args: readonly RedisArgument[];
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
  readonly keeper: ConnectionKeeper;
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
      used = await this.#connection(call, progress);
      try {
        return await this.#send(call, used);
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
      if (this.#options.keeper.current === live) await this.#pauses.wait(1);
      return undefined;
    }
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

  async #connection(call: Call, progress: Progress): Promise<LiveConnection> {
    const { keeper } = this.#options;
    try {
      return await keeper.ready(call.deadline);
    } catch (error) {
      const why = error instanceof RedisTimeoutError ? (keeper.lastFailure ?? error) : error;
      throw this.#final(call, progress, why);
    }
  }

  #send(call: Call, live: LiveConnection): Promise<RedisReply> {
    const reply = live.track((connection) => connection.send(call.args));
    return this.#options.timer.within(reply, call.deadline, late);
  }

  #final(call: Call, { mayHaveRun }: Progress, failure: unknown): HoldfastError {
    const { address } = this.#options;
    if (this.#isClosed) return closedError();
    const { about, nonce } = call;
    return mayHaveRun && nonce !== undefined
      ? outcomeUnknown(address, failure, { about, nonce })
      : runningFailure(address, failure, about);
  }
}

const late = () => new RedisTimeoutError('The call ran out of time.');

/** What the attempts so far came to. */
class Progress {
  reloads = 0;
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

  nextPause(): number {
    const full = Math.min(minPauseMs * 2 ** this.#pauses, maxPauseMs);
    this.#pauses += 1;
    return full * (0.5 + Math.random() / 2);
  }
}
