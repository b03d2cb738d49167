import { createSessionStore } from '../config/create-session-store.ts';
import { type Config, loadConfig } from '../config/load-config.ts';
import type { RedisSessionStore } from '../redis/redis-session-store.ts';
import type { Logger } from '../store/emitter.ts';
import { onAbort } from '../store/on-abort.ts';
import type { SessionStore } from '../store/session-store.ts';
import {
  CommandError,
  type CommonOptions,
  exitCodes,
  said,
  type Terminal,
  terminalLogger,
} from './terminal.ts';

/** The configuration of a command that needs Redis. @param why it does @throws ConfigError, CommandError */
export function loadRedisConfig(
  { settings: envFile }: CommonOptions,
  { env }: Pick<Terminal, 'env'>,
  why: string,
): Config {
  const config = loadConfig({ env, envFile });
  if (config.session.storeType === 'redis') return config;
  throw new CommandError(
    `SESSION_STORE_TYPE is not redis: ${why}. Set it to redis, and REDIS_URL to where that is.`,
  );
}

/**
 * The terminal's warnings and errors; the latter from `opened` on. Why a store could not be opened is
 * thrown, with what to do.
 */
export function openingLogger(terminal: Terminal): { logger: Logger; opened: () => void } {
  const logger = terminalLogger(terminal);
  let isOpen = false;
  const error: Logger['error'] = (details, message) => isOpen && logger.error(details, message);
  return {
    logger: { ...logger, error },
    opened: () => {
      isOpen = true;
    },
  };
}

/** The store on Redis of a command. @throws ConfigError, StoreUnavailableError; the signal's reason */
export async function openStore(config: Config, terminal: Terminal): Promise<RedisSessionStore> {
  const { logger, opened } = openingLogger(terminal);
  const store = await createSessionStore(config, { logger, signal: terminal.signal });
  opened();
  return onRedisOnly(store);
}

/** A store that was made from settings which name Redis. */
export async function onRedisOnly(store: SessionStore): Promise<RedisSessionStore> {
  const { RedisSessionStore } = await import('../redis/redis-session-store.ts');
  if (store instanceof RedisSessionStore) return store;
  throw new TypeError('A store on Redis was expected.');
}

/**
 * Runs something on the sessions on Redis that the settings name. Nothing is kept in this process: what is
 * shown is what Redis has. Once the terminal's signal aborts, what waits for Redis waits no longer.
 *
 * @param interrupted is said when the signal ended `run`
 * @returns its exit code; that of an interruption when the terminal's signal ended it
 * @throws ConfigError, CommandError, StoreUnavailableError
 */
export async function onRedis(
  options: CommonOptions,
  terminal: Terminal,
  run: (store: RedisSessionStore, config: Config) => Promise<number>,
  interrupted = 'Stopped.',
): Promise<number> {
  const { err, signal } = terminal;
  const config = loadRedisConfig(options, terminal, outOfReach);
  const redis = { ...config.redis, l1: undefined };
  let message = 'Stopped.';
  try {
    const store = await openStore({ ...config, redis }, terminal);
    message = interrupted;
    const forget = onAbort(signal, () => void store.close());
    try {
      return await run(store, config);
    } finally {
      forget();
      await store.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write(said(message));
    return exitCodes.interrupted;
  }
}

const outOfReach = 'sessions in memory are in another process, which alone can reach them';
