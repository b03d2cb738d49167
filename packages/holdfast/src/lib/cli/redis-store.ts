import { createSessionStore } from '../config/create-session-store.ts';
import { type Config, loadConfig } from '../config/load-config.ts';
import { ConfigError } from '../errors/errors.ts';
import type { RedisSessionStore } from '../redis/redis-session-store.ts';
import { type CommonOptions, exitCodes, type Terminal, terminalLogger } from './terminal.ts';

/**
 * Runs something on the sessions on Redis that the settings name. Nothing is kept in this process: what is
 * shown is what Redis has.
 *
 * @returns its exit code; that of an interruption when the terminal's signal ended it
 * @throws ConfigError, StoreUnavailableError
 */
export async function onRedis(
  { settings: envFile }: CommonOptions,
  terminal: Terminal,
  run: (store: RedisSessionStore, config: Config) => Promise<number>,
  interrupted = 'Stopped.',
): Promise<number> {
  const { env, err, signal } = terminal;
  const config = loadConfig({ env, envFile });
  if (config.session.storeType !== 'redis') {
    throw new ConfigError(
      'SESSION_STORE_TYPE is not redis: sessions in memory are in another process, which alone can reach them.',
    );
  }
  const { RedisSessionStore } = await import('../redis/redis-session-store.ts');
  const redis = { ...config.redis, l1: undefined };
  const logger = terminalLogger(terminal);
  let isOpen = false;
  // Why it could not be opened is thrown, with what to do.
  const error: typeof logger.error = (details, message) => isOpen && logger.error(details, message);
  const store = await createSessionStore({ ...config, redis }, { logger: { ...logger, error } });
  isOpen = true;
  if (!(store instanceof RedisSessionStore)) throw new TypeError('A store on Redis was expected.');
  try {
    return await run(store, config);
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write(`${interrupted}\n`);
    return exitCodes.interrupted;
  } finally {
    await store.close();
  }
}
