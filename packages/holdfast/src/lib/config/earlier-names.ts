import type { ConfigWarning } from './warnings.ts';

type Given = Readonly<Record<string, string>>;

/** Names of versions 1 and 2, and of settings that are not needed here: what each is now. */
const earlierNames: Readonly<Record<string, (given: Given) => { now?: Given; notice: string }>> = {
  USE_SHARED_CONTEXT: ({ USE_SHARED_CONTEXT: value }) =>
    value?.toLowerCase() === 'true'
      ? {
          notice:
            'USE_SHARED_CONTEXT=true is a name of version 1: sessions are always shared in a process; take it out, and set SESSION_STORE_TYPE=redis to share them among processes',
        }
      : {
          notice:
            'USE_SHARED_CONTEXT is a name of version 1 and cannot be switched off: every conversation is a session; take it out',
        },
  SESSION_TIMEOUT_SECONDS: ({ SESSION_TIMEOUT_MINUTES, SESSION_TIMEOUT_SECONDS: seconds = '' }) => {
    if (SESSION_TIMEOUT_MINUTES !== undefined) {
      return {
        notice:
          'SESSION_TIMEOUT_SECONDS is a name of version 1 and not used beside SESSION_TIMEOUT_MINUTES: take it out',
      };
    }
    // As text: what is no number is refused by today's name.
    const minutes = /^\d+$/.test(seconds) ? String(Math.ceil(Number(seconds) / 60)) : seconds;
    return {
      now: { SESSION_TIMEOUT_MINUTES: minutes },
      notice: `SESSION_TIMEOUT_SECONDS is a name of version 1: set SESSION_TIMEOUT_MINUTES, which it is rounded up to`,
    };
  },
  REDIS_HEALTH_CHECK_INTERVAL: () => ({
    notice:
      'REDIS_HEALTH_CHECK_INTERVAL is not needed: the connections to Redis are watched all the time; take it out',
  }),
  ...Object.fromEntries(
    ['OPENAI_API_KEY', 'OPENAI_API_BASE', 'AGENT_MODEL'].map((name) => [
      name,
      () => ({ notice: `${name} is not used: AI_PROVIDER=local is the only model there is` }),
    ]),
  ),
};

export function isEarlierName(name: string): boolean {
  return Object.hasOwn(earlierNames, name);
}

/** @returns the settings by today's names. @param warnings gets a notice for each other name */
export function translateEarlierNames(given: Given, warnings: ConfigWarning[]): Given {
  let settings = given;
  for (const [setting, translate] of Object.entries(earlierNames)) {
    if (given[setting] === undefined) continue;
    const { now, notice } = translate(given);
    settings = { ...settings, ...now };
    warnings.push({ setting, message: notice });
  }
  return settings;
}
