import { createSessionStore } from '../config/create-session-store.ts';
import { loadConfig } from '../config/load-config.ts';
import { ConfigError } from '../errors/errors.ts';
import { exitCodes, type Terminal, terminalLogger } from './terminal.ts';

/** `holdfast cleanup`. @throws ConfigError, StoreUnavailableError */
export async function cleanup(
  { envFile, json }: { readonly envFile?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const { env, out, err, signal } = terminal;
  const config = loadConfig({ env, envFile });
  if (config.session.storeType !== 'redis') {
    throw new ConfigError(
      'SESSION_STORE_TYPE is not redis: sessions in memory are in another process, which removes them itself.',
    );
  }
  const store = await createSessionStore(config, { logger: terminalLogger(terminal) });
  try {
    const removed = await store.cleanupExpired({ signal });
    const sessions = removed === 1 ? 'session' : 'sessions';
    out.write(
      json ? `${JSON.stringify({ removed })}\n` : `${removed} expired ${sessions} removed.\n`,
    );
    return exitCodes.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write('Stopped. What was removed stays so.\n');
    return exitCodes.interrupted;
  } finally {
    await store.close();
  }
}
