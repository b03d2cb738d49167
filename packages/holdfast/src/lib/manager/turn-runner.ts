import { setImmediate as allDueNow } from 'node:timers/promises';
import type { CancelTimer } from '../clock.ts';
import { HoldfastError, TurnInterruptedError, ValidationError } from '../errors/errors.ts';
import { type JsonValue, toJson } from '../json/json-value.ts';
import { assertId, randomId } from '../model/ids.ts';
import { interruptGraceMs } from '../model/limits.ts';
import { type PreparedOutput, turnEvents } from '../model/turn-event.ts';
import type { Emitter, Logger } from '../store/emitter.ts';
import type { CommitResult, Lease, TurnChanges, TurnGrant } from '../store/turn-store.ts';
import { storeSpan } from '../telemetry/store-span.ts';
import { spanKind, type Tracer, traced } from '../telemetry/tracer.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LiveOutputWriter } from './live-output.ts';
import { isOutage, onceMore } from './once-more.ts';
import type { SessionEvents } from './session-events.ts';
import { RunningTurn, type Turn } from './turn.ts';
import { TurnBegin, type TurnBeginOptions } from './turn-begin.ts';
import { refuseNested, runInTurn } from './turn-context.ts';
import { codeOf, TurnCourse, type TurnEnded } from './turn-course.ts';
import type { OutputStart } from './turn-events.ts';
import type { ParsedTurnOptions } from './turn-options.ts';

export interface TurnRunnerOptions<Metadata extends object, MetadataInput extends object>
  extends TurnBeginOptions<Metadata, MetadataInput> {
  readonly logger: Logger;
  readonly tracer: Tracer | undefined;
  readonly events: Emitter<SessionEvents>;
}

export type TurnWork<Metadata extends object, MetadataInput extends object, Result> = (
  turn: Turn<Metadata, MetadataInput>,
) => Promise<Result> | Result;

/** Who reads the live output of a turn. */
export interface TurnObserver {
  /** The turn runs, so its output can be read; `null` for a repeat, which has none. */
  begun(start: OutputStart): void;
  /** None of the output was written, and none will be. */
  outputLost(error: unknown): void;
}

/** What belongs to a turn while it runs. */
interface Underway {
  readonly keeper: LeaseKeeper;
  readonly output: LiveOutputWriter;
  readonly course: TurnCourse;
}

/** The timer that ends an interrupted turn's last chance. */
interface Grace {
  cancel: CancelTimer;
}

/** Runs turns: begin, work under a kept lease, and one commit or none. */
export class TurnRunner<Metadata extends object, MetadataInput extends object> {
  readonly #options: TurnRunnerOptions<Metadata, MetadataInput>;
  readonly #begin: TurnBegin<Metadata, MetadataInput>;

  constructor(options: TurnRunnerOptions<Metadata, MetadataInput>) {
    this.#options = options;
    this.#begin = new TurnBegin(options);
  }

  async run<Result>(
    id: string,
    options: ParsedTurnOptions,
    work: TurnWork<Metadata, MetadataInput, Result>,
    observer?: TurnObserver,
  ): Promise<Result> {
    const { store, clock, tracer, events } = this.#options;
    assertId(id, 'A session id');
    refuseNested(store, id);
    const course = new TurnCourse(id, options.requestId, clock);
    const attributes = { 'gen_ai.conversation.id': id };
    return traced(tracer, 'turn', { kind: spanKind.internal, attributes }, async (span) => {
      let failure: { error: unknown } | null = null;
      // What is not recorded has no parts that are: without an SDK they would cost the most.
      course.tracer = span === null ? undefined : tracer;
      try {
        return await this.#run(id, options, work, observer, course);
      } catch (error) {
        failure = { error };
        throw error;
      } finally {
        const ended = course.ended(failure);
        if (span !== null) span.setAttributes(spanAttributes(ended));
        events.emit('turnEnded', ended);
      }
    });
  }

  async #run<Result>(
    id: string,
    options: ParsedTurnOptions,
    work: TurnWork<Metadata, MetadataInput, Result>,
    observer: TurnObserver | undefined,
    course: TurnCourse,
  ): Promise<Result> {
    const { store, access } = this.#options;
    // A notice may come before there is a keeper to take it: as soon as the lease is granted.
    let earlyNotice: HoldfastError | null = null;
    let onLost = (reason: HoldfastError) => {
      earlyNotice = reason;
    };
    const begun = await this.#begin.begin(id, options, course, (reason) => onLost(reason));
    if (begun.kind === 'replayed') {
      course.replayed();
      access.checkClient(begun.session, begun.credentials, options.client);
      observer?.begun(null);
      return begun.outcome as Result; // what `work` returned under this key, by way of JSON
    }
    course.begun(begun.lease, begun.attempt);
    let stop: (reason: unknown) => void = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = reject;
    });
    stopped.catch(() => {}); // it is raced below, or comes too late to matter
    const grace: Grace = { cancel: () => {} };
    const keeper = this.#keep(begun, options, stop, grace);
    onLost = (reason) => keeper.abort(reason);
    if (earlyNotice !== null) keeper.abort(earlyNotice);
    const output = new LiveOutputWriter({
      store,
      lease: () => keeper.lease,
      attempt: begun.attempt,
      clock: this.#options.clock,
      onRefused: (error) => keeper.abort(error),
    });
    let turn: RunningTurn<Metadata, MetadataInput> | undefined;
    try {
      keeper.throwIfAborted();
      const clientChanges = access.checkClient(begun.session, begun.credentials, options.client);
      if (observer !== undefined) {
        output.start();
        observer.begun(begun);
        // They hear of it before its work has the processor.
        await allDueNow();
        // One that was interrupted meanwhile may still end well.
        keeper.throwIfRefused();
      }
      keeper.start();
      const running = this.#turn(begun, {
        ...{ keeper, output, clientChanges, course },
        keyed: options.idempotency !== undefined,
      });
      turn = running;
      const worked = runInTurn(store, id, async () => work(running));
      const result = await Promise.race([worked, stopped]);
      // What it left running may not add to the turn any more: it would miss the commit.
      running.end(endedTurn);
      await this.#commit(running, { keeper, output, course }, result, options);
      return result;
    } catch (error) {
      const failure = failureOf(error, keeper);
      turn?.end(failure instanceof HoldfastError ? () => failure : endedTurn);
      const released = this.#release(keeper.lease, output, failure).then(() => {
        if (!output.written) observer?.outputLost(failure);
      });
      // Who waits for the answer does not wait for the store a second time.
      if (!isOutage(failure)) await released;
      throw failure;
    } finally {
      keeper.stop();
      grace.cancel();
    }
  }

  #keep(
    { lease, grantedAt }: TurnGrant<Metadata>,
    { maxMs, signal }: ParsedTurnOptions,
    stop: (reason: unknown) => void,
    grace: Grace,
  ): LeaseKeeper {
    const { store, leaseMs, clock, logger } = this.#options;
    const onAbort = (reason: unknown) => {
      // An interrupted turn may still end well: its work has a while to return.
      if (reason instanceof TurnInterruptedError) {
        grace.cancel = clock.setTimer(interruptGraceMs, () => stop(reason));
      } else stop(reason);
    };
    return new LeaseKeeper({
      store,
      lease,
      leaseMs,
      grantedAt,
      maxMs,
      clock,
      logger,
      signal,
      onAbort,
    });
  }

  #turn(
    grant: TurnGrant<Metadata>,
    {
      keeper,
      output,
      course,
      keyed,
      clientChanges,
    }: Underway & { readonly keyed: boolean; readonly clientChanges: readonly string[] },
  ): RunningTurn<Metadata, MetadataInput> {
    const { store, clock } = this.#options;
    return new RunningTurn<Metadata, MetadataInput>({
      store,
      grant,
      keeper,
      output,
      keyed,
      clock,
      clientChanges,
      checkpoint: (changes) => this.#checkpoint({ keeper, output, course }, changes),
    });
  }

  async #checkpoint(
    { keeper, output, course }: Underway,
    changes: TurnChanges,
  ): Promise<CommitResult<Metadata>> {
    // What one that failed should have stored comes before what this one would.
    keeper.throwIfRefused();
    const { store, leaseMs, clock } = this.#options;
    let sentAt = 0;
    const commit = (pieces: readonly PreparedOutput[]) => {
      const { lease } = keeper;
      sentAt = clock.monotonic();
      const all = { ...changes, output: pieces };
      return this.#traceCommit(course, true, () =>
        onceMore(clock, () => store.commit(lease, all, { keep: true, leaseMs })),
      );
    };
    try {
      const result = await (output.started ? output.writeWith(commit) : commit([]));
      course.checkpoints += 1;
      if (result.lease !== null) keeper.renewed(result.lease, sentAt);
      else
        keeper.abort(
          new TurnInterruptedError('This checkpoint was an interrupted turn’s one commit.'),
        );
      // Also where the session cannot be shown any more, the turn cannot go on.
      void result.session;
      return result;
    } catch (error) {
      keeper.abort(error);
      throw error;
    }
  }

  async #commit(
    turn: RunningTurn<Metadata, MetadataInput>,
    { keeper, output, course }: Underway,
    result: unknown,
    { idempotency }: ParsedTurnOptions,
  ): Promise<void> {
    const outcome = outcomeOf(result, idempotency !== undefined);
    const changes = await turn.finish(randomId());
    const last = output.started ? await output.end(turnEvents.completed()) : [];
    keeper.throwIfRefused();
    const { lease } = keeper;
    const { store, clock } = this.#options;
    course.committing();
    await this.#traceCommit(course, false, () =>
      onceMore(clock, () =>
        store.commit(lease, { ...changes, output: last }, { keep: false, outcome }),
      ),
    );
  }

  #traceCommit<Result>(
    { tracer }: TurnCourse,
    isCheckpoint: boolean,
    commit: () => Promise<Result>,
  ): Promise<Result> {
    if (tracer === undefined) return commit();
    const { attributes, ...span } = storeSpan(this.#options.store.type, 'write');
    const all = { ...attributes, 'holdfast.checkpoint': isCheckpoint };
    return traced(tracer, 'commit', { ...span, attributes: all }, commit);
  }

  async #release(lease: Lease, output: LiveOutputWriter, failure: unknown): Promise<void> {
    const { store, logger } = this.#options;
    const code = codeOf(failure);
    try {
      const last = output.started ? await output.end(turnEvents.failed(code)) : [];
      if (await store.release(lease, last)) output.ended(last);
    } catch (error) {
      // The lease ends by itself; what the turn failed with is what its caller must learn.
      logger.warn({ err: error, sessionId: lease.sessionId }, 'Failed to release a lease');
    }
  }
}

function spanAttributes({ turnId, outcome, attempt, waitMs, checkpoints }: TurnEnded) {
  return {
    'holdfast.turn.outcome': outcome,
    'holdfast.turn.attempt': attempt,
    'holdfast.turn.wait_ms': waitMs,
    'holdfast.turn.checkpoints': checkpoints,
    ...(turnId !== null && { 'holdfast.turn.id': turnId }),
  };
}

/** What a failed turn rejects with: why it had to stop, if its work only reacted to that. */
function failureOf(error: unknown, { aborted }: LeaseKeeper): unknown {
  if (aborted === null || error === aborted.reason) return error;
  const reacted = error instanceof Error && error.name === 'AbortError';
  return reacted ? aborted.reason : error;
}

/** @throws ValidationError for what would outlive the turn, or can't be stored under its key. */
function outcomeOf(result: unknown, keyed: boolean): JsonValue | undefined {
  if (isStream(result)) {
    throw new ValidationError(
      'A turn returned a stream or a Response, which would outlive it. Return JSON; use turn.emit or startTurn for live output.',
    );
  }
  if (!keyed || result === undefined) return undefined;
  return toJson(result, "The turn's result");
}

function isStream(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    value instanceof ReadableStream ||
    value instanceof Response ||
    Symbol.asyncIterator in value ||
    ('pipe' in value && typeof value.pipe === 'function')
  );
}

function endedTurn(): ValidationError {
  return new ValidationError('This turn has ended; its object can no longer be used.');
}
