import { days, wholeNumber } from './setting-values.ts';
import type { ConfigWarning } from './warnings.ts';

type Given = Readonly<Record<string, string>>;

/** Names of version 1, and of settings that others need and Holdfast does not: what is to be said of each. */
const notices: Readonly<Record<string, (given: Given) => string>> = {
  USE_SHARED_CONTEXT: ({ USE_SHARED_CONTEXT: value }) =>
    value?.toLowerCase() === 'true'
      ? 'USE_SHARED_CONTEXT is a name of version 1 and always so: a process shares its sessions. Take it out, and set SESSION_STORE_TYPE=redis to share them among processes'
      : 'USE_SHARED_CONTEXT is a name of version 1 and cannot be switched off: every conversation is a session. Take it out',
  SESSION_TIMEOUT_SECONDS: ({ SESSION_TIMEOUT_MINUTES: minutes }) =>
    minutes === undefined
      ? 'SESSION_TIMEOUT_SECONDS is a name of version 1: set SESSION_TIMEOUT_MINUTES'
      : 'SESSION_TIMEOUT_SECONDS is a name of version 1 and not used beside SESSION_TIMEOUT_MINUTES: take it out',
  REDIS_HEALTH_CHECK_INTERVAL: () =>
    'REDIS_HEALTH_CHECK_INTERVAL is not needed: the connections to Redis are watched all the time. Take it out',
};

export function isEarlierName(name: string): boolean {
  return Object.hasOwn(notices, name);
}

/** A notice for each name that is set and no longer a setting's own. */
export function noticesOf(given: Given): ConfigWarning[] {
  return Object.entries(notices).flatMap(([setting, notice]) =>
    given[setting] === undefined ? [] : [{ setting, message: notice(given) }],
  );
}

const timeout = wholeNumber(1, days(24) * 60);

/**
 * The idle timeout by its name in version 1, in ms, where it has no other.
 * @param wrong gets a sentence when it is no number of seconds
 */
export function earlierIdleTimeoutMs(given: Given, wrong: string[]): number | undefined {
  const { SESSION_TIMEOUT_SECONDS: seconds, SESSION_TIMEOUT_MINUTES: minutes } = given;
  if (seconds === undefined || minutes !== undefined) return undefined;
  const parsed = timeout.safeParse(seconds);
  if (parsed.success) return parsed.data * 1000;
  wrong.push(`SESSION_TIMEOUT_SECONDS ${parsed.error.issues[0]?.message}`);
  return undefined;
}
