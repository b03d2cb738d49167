import { progress as progressBar } from '@clack/prompts';
import { createSessionStore } from '../config/create-session-store.ts';
import { loadConfig } from '../config/load-config.ts';
import { ConfigError } from '../errors/errors.ts';
import type { RekeyProgress } from '../redis/rekeying.ts';
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
    const shown = showProgress(terminal);
    try {
      const result = await store.rekey({ onProgress: shown.update, signal });
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

const lines = 10;

/** A bar where somebody watches; else a line for each tenth. */
function showProgress({ out }: Terminal): {
  update: (progress: RekeyProgress) => void;
  end: () => void;
} {
  let done = 0;
  if (out.isTTY) {
    const bar = progressBar({ output: out, max: 1_000 });
    bar.start('Encrypting');
    return {
      update({ sessions, total }) {
        const now = Math.floor((sessions / Math.max(total, 1)) * 1_000);
        bar.advance(now - done, `${count(sessions)} of ${count(total)} sessions`);
        done = now;
      },
      end: () => bar.stop('Encrypting'),
    };
  }
  return {
    update({ sessions, total }) {
      const now = Math.floor((sessions / Math.max(total, 1)) * lines);
      if (now > done) out.write(`${count(sessions)} of ${count(total)} sessions\n`);
      done = now;
    },
    end() {},
  };
}

function count(number: number): string {
  return number.toLocaleString('en');
}
