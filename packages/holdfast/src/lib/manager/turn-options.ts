import { ValidationError } from '../errors/errors.ts';
import { jsonDigest, toJson } from '../json/json-value.ts';
import { assertId } from '../model/ids.ts';
import { interruptGraceMs } from '../model/limits.ts';
import type { Idempotency, OnBusy } from '../store/turn-store.ts';
import { assertClient } from './access.ts';
import type { ClientInfo } from './client-binding.ts';

export interface TurnOptions {
  /** Who calls; compared with the client that the session is bound to. */
  readonly client?: ClientInfo | undefined;
  /** The session's bearer token, to be checked in the turn's own begin. */
  readonly token?: string | undefined;
  /** The user who calls: a session of another user is `SessionNotFoundError`. */
  readonly userId?: string | undefined;
  /** Under one key the turn runs once; a repeat gets the stored outcome. 1 to 255 characters. */
  readonly idempotencyKey?: string | undefined;
  /** The request's JSON: a repeat under the key must have the same. Without a key it is ignored. */
  readonly idempotencyRequest?: unknown;
  /**
   * When another turn runs: `wait` in the order of asking (the default), `reject` with
   * `SessionBusyError`, or `interrupt` it.
   */
  readonly onBusy?: OnBusy | undefined;
  /** How long to wait for the session, in seconds. Default `SESSION_LOCK_WAIT_SECONDS`. */
  readonly waitSeconds?: number | undefined;
  /** How long the turn may run, in seconds. Default `SESSION_TURN_MAX_SECONDS`. */
  readonly maxSeconds?: number | undefined;
  /** Names the request in `turnEnded`, to find it again in a log. At most 255 characters. */
  readonly requestId?: string | undefined;
  /** Stops the wait, or the turn. */
  readonly signal?: AbortSignal | undefined;
}

export interface TurnDefaults {
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly maxMs: number;
}

export interface ParsedTurnOptions {
  readonly client: ClientInfo | undefined;
  readonly token: string | undefined;
  readonly userId: string | undefined;
  readonly idempotency: Idempotency | undefined;
  readonly onBusy: OnBusy;
  readonly waitMs: number;
  readonly maxMs: number;
  readonly requestId: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Node's timers take no more (24 days). */
const maxSeconds = Math.floor((2 ** 31 - 1) / 1000);

const known: Record<keyof TurnOptions, true> = {
  client: true,
  token: true,
  userId: true,
  idempotencyKey: true,
  idempotencyRequest: true,
  onBusy: true,
  waitSeconds: true,
  maxSeconds: true,
  requestId: true,
  signal: true,
};

/** @throws ValidationError that names the option. */
export function parseTurnOptions(options: TurnOptions, defaults: TurnDefaults): ParsedTurnOptions {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) {
      throw new ValidationError(
        `A turn has no option "${name}"; there are ${Object.keys(known).join(', ')}.`,
      );
    }
  }
  const { client, token, userId, onBusy = 'wait', requestId, signal } = options;
  assertClient(client);
  if (userId !== undefined) assertId(userId, 'userId');
  if (onBusy !== 'wait' && onBusy !== 'reject' && onBusy !== 'interrupt') {
    throw new ValidationError("onBusy must be 'wait', 'reject' or 'interrupt'.");
  }
  if (requestId !== undefined && (typeof requestId !== 'string' || requestId.length > 255)) {
    throw new ValidationError('requestId must be a string of at most 255 characters.');
  }
  const waitMs = milliseconds(options.waitSeconds, 'waitSeconds', 0) ?? defaults.waitMs;
  if (onBusy === 'interrupt' && waitMs <= interruptGraceMs) {
    throw new ValidationError(
      `A turn that interrupts must be ready to wait more than ${interruptGraceMs / 1000} s: so long the interrupted one may take to commit. Raise waitSeconds.`,
    );
  }
  return {
    client,
    token,
    userId,
    idempotency: parseIdempotency(options),
    onBusy,
    waitMs,
    maxMs: milliseconds(options.maxSeconds, 'maxSeconds', 0.001) ?? defaults.maxMs,
    requestId,
    signal,
  };
}

function parseIdempotency({
  idempotencyKey: key,
  idempotencyRequest: request,
}: TurnOptions): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ValidationError('idempotencyKey must be 1 to 255 visible ASCII characters.');
  }
  const requestDigest =
    request === undefined ? '' : jsonDigest(toJson(request, 'idempotencyRequest'));
  return { key, requestDigest };
}

function milliseconds(seconds: number | undefined, name: string, min: number): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds !== 'number' || !(seconds >= min && seconds <= maxSeconds)) {
    throw new ValidationError(
      `${name} must be from ${min} to ${maxSeconds}, not ${String(seconds)}.`,
    );
  }
  return Math.round(seconds * 1000);
}
