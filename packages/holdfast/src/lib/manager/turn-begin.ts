import type { Clock } from '../clock.ts';
import { type HoldfastError, OutcomeUnknownError, SessionNotFoundError } from '../errors/errors.ts';
import { randomId } from '../model/ids.ts';
import { invalidToken } from '../model/token.ts';
import type { SessionStore } from '../store/session-store.ts';
import type { BeginOptions } from '../store/turn-store.ts';
import { storeSpan } from '../telemetry/store-span.ts';
import { traced } from '../telemetry/tracer.ts';
import type { Access } from './access.ts';
import { isOutage, onceMore } from './once-more.ts';
import type { TurnCourse } from './turn-course.ts';
import type { ParsedTurnOptions } from './turn-options.ts';

/** How often a lease is asked for that is to be given back. */
const giveBackEveryMs = 1_000;

export interface TurnBeginOptions<Metadata extends object, MetadataInput extends object> {
  readonly store: SessionStore<Metadata, MetadataInput>;
  readonly access: Access;
  readonly leaseMs: number;
  readonly clock: Clock;
}

/** How a turn gets its session. */
export class TurnBegin<Metadata extends object, MetadataInput extends object> {
  readonly #options: TurnBeginOptions<Metadata, MetadataInput>;

  constructor(options: TurnBeginOptions<Metadata, MetadataInput>) {
    this.#options = options;
  }

  /** @throws what refuses the turn */
  async begin(
    id: string,
    { client, userId, token, idempotency, onBusy, waitMs, signal }: ParsedTurnOptions,
    { tracer }: TurnCourse,
    onLost: (reason: HoldfastError) => void,
  ) {
    const { store, access, leaseMs, clock } = this.#options;
    const tokenHash = token === undefined ? undefined : access.readToken(token, id).hash;
    const nonce = randomId();
    const admission = { userId, tokenHash, idempotency };
    const begin = { nonce, leaseMs, onBusy, waitMs, ...admission, onLost, signal };
    // The store interrupts before it tells whom the session is bound to: too late for one that is refused.
    if (onBusy === 'interrupt' && access.mayRefuse(client)) {
      const stored = await store.getWithCredentials(id, { tokenHash, signal });
      // Of another user there is nothing to compare: the begin says so.
      const isTheirs = userId === undefined || stored?.session.userId === userId;
      if (stored !== null && isTheirs) {
        access.checkClient(stored.session, stored.credentials, client);
      }
    }
    let mayHold = false;
    const attempt = async () => {
      try {
        return await store.begin(id, begin);
      } catch (error) {
        mayHold ||= error instanceof OutcomeUnknownError;
        throw error;
      }
    };
    try {
      return await traced(tracer, 'begin', storeSpan(store.type, 'begin'), () =>
        onceMore(clock, attempt),
      );
    } catch (error) {
      // Also where the repeat was given up or refused: that says nothing of the first attempt's lease.
      if (mayHold) void this.#giveBack(id, begin);
      // A caller with a token learns nothing about which sessions there are.
      if (tokenHash !== undefined && error instanceof SessionNotFoundError) throw invalidToken();
      throw error;
    }
  }

  /** A begin whose outcome is unknown may have taken the lease, and nobody would release it. */
  async #giveBack(id: string, begin: BeginOptions): Promise<void> {
    const { store, clock, leaseMs } = this.#options;
    const again = {
      ...begin,
      onBusy: 'reject',
      waitMs: 0,
      onLost: undefined,
      signal: undefined,
    } as const;
    const until = clock.monotonic() + leaseMs;
    do {
      try {
        const begun = await store.begin(id, again);
        if (begun.kind === 'granted') await store.release(begun.lease);
        return;
      } catch (error) {
        if (!isOutage(error)) return; // it has no lease, and gets none
      }
      await new Promise<void>((resolve) => {
        clock.setTimer(giveBackEveryMs, resolve, { background: true });
      });
    } while (clock.monotonic() < until);
  }
}
