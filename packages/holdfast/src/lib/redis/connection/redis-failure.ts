import {
  ConfigError,
  type HoldfastError,
  OutcomeUnknownError,
  StoreUnavailableError,
} from '../../errors/errors.ts';
import { diagnose } from './diagnose.ts';
import type { RedisAddress } from './redis-address.ts';
import { ConnectionLostError, RedisReplyError } from './redis-connection.ts';

/**
 * The server refuses these before it runs anything: of a script, before its first write. Any other
 * error reply may come in the middle.
 */
const refusedUnexecuted: ReadonlySet<string> = new Set([
  ...['LOADING', 'BUSY', 'MASTERDOWN', 'READONLY', 'CLUSTERDOWN', 'OOM', 'MISCONF', 'NOREPLICAS'],
  ...['NOAUTH', 'NOPERM', 'WRONGPASS', 'NOSCRIPT', 'MOVED', 'ASK', 'TRYAGAIN', 'CROSSSLOT'],
]);

/** These pass by themselves, and surely before anything was executed. */
const passing: ReadonlySet<string> = new Set([
  ...['LOADING', 'BUSY', 'MASTERDOWN', 'READONLY', 'CLUSTERDOWN', 'TRYAGAIN'],
]);

/** Whether what this is the failure of surely took no effect. */
export function surelyNotExecuted(error: unknown): boolean {
  if (error instanceof RedisReplyError) {
    // A script can meet a command in its middle that its user may not call.
    if (error.code === 'NOPERM' && /script/.test(error.message)) return false;
    return refusedUnexecuted.has(error.code);
  }
  return error instanceof ConnectionLostError && !error.sent;
}

/** Whether it is an error reply that goes away by waiting. */
export function isPassing(error: unknown): boolean {
  return error instanceof RedisReplyError && passing.has(error.code);
}

/** Two or three words for a log line: `Connection refused`. */
export function describeFailure(error: unknown): string {
  return diagnose(error).phrase;
}

function describe(address: RedisAddress, error: unknown, about?: string): string {
  const { what, remedy } = diagnose(error);
  const call = about === undefined ? '' : ` (${about})`;
  return `Redis at ${address.display}${call} ${what} ${remedy}`;
}

/** At the start: a `ConfigError` where only other settings help. */
export function startFailure(address: RedisAddress, error: unknown): HoldfastError {
  if (error instanceof ConfigError) return error;
  const message = describe(address, error);
  return diagnose(error).isSetting
    ? new ConfigError(message, { cause: error })
    : new StoreUnavailableError(message, { cause: error });
}

/** Of a running store; `about` names the script or command. */
export function runningFailure(
  address: RedisAddress,
  error: unknown,
  about?: string,
): StoreUnavailableError {
  return new StoreUnavailableError(describe(address, error, about), { cause: error });
}

/** A write that may have taken effect; repeating it under its nonce is safe. */
export function outcomeUnknown(
  address: RedisAddress,
  error: unknown,
  { about, nonce }: { readonly about: string; readonly nonce: string },
): OutcomeUnknownError {
  const message = `${describe(address, error, about)} The write may have taken effect.`;
  return new OutcomeUnknownError(message, { cause: error, nonce });
}
