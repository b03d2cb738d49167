import { createSessionStore } from '../config/create-session-store.ts';
import { loadConfig } from '../config/load-config.ts';
import { ConfigError } from '../errors/errors.ts';
import type { RekeyProgress } from '../redis/rekeying.ts';
import { count, showProgress } from './progress.ts';
import { exitCodes, type Terminal, terminalLogger } from './terminal.ts';

/** `holdfast rekey`. @throws ConfigError, StoreUnavailableError */
export async function rekey(
  { envFile }: { readonly envFile?: string },
  terminal: Terminal,
): Promise<number> {
  const { env, out, err, signal } = terminal;
  const config = loadConfig({ env, envFile });
  if (config.session.storeType !== 'redis') {
    throw new ConfigError('SESSION_STORE_TYPE is not redis: in memory nothing outlives its key.');
  }
  if (config.encryption === undefined) {
    throw new ConfigError(
      'SESSION_ENCRYPTION_KEY is not set: there is no key to encrypt with, or to decrypt.',
    );
  }
  const { RedisSessionStore } = await import('../redis/redis-session-store.ts');
  const store = await createSessionStore(config, { logger: terminalLogger(terminal) });
  if (!(store instanceof RedisSessionStore)) throw new TypeError('A store on Redis was expected.');
  try {
    const shown = showProgress('Encrypting', terminal);
    try {
      const result = await store.rekey({
        onProgress: ({ sessions, total }) => shown.update(sessions, total),
        signal,
      });
      shown.end();
      const { cipher, ring } = config.encryption;
      const how = cipher === 'none' ? 'decrypted' : `encrypted with key ${ring.primary.id}`;
      out.write(
        `${count(result.sessions)} sessions looked at, ${count(result.rewritten)} values ${how}.\n`,
      );
      return report(result, terminal);
    } catch (error) {
      shown.end();
      if (!signal.aborted) throw error;
      err.write('Stopped. Run it again to go on from there.\n');
      return exitCodes.interrupted;
    }
  } finally {
    await store.close();
  }
}

function report({ unreadable }: RekeyProgress, { err }: Terminal): number {
  if (unreadable.length === 0) return exitCodes.done;
  err.write(
    `${unreadable.length} sessions have values that no key opens: ${unreadable.join(' ')}\nPut their key into the ring and run it again, or delete them.\n`,
  );
  return exitCodes.failed;
}
