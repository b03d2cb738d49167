import { ConfigError } from '../errors/errors.ts';
import type { RekeyProgress } from '../redis/upkeep/rekeying.ts';
import { showProgress } from './progress.ts';
import { onRedis } from './redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal } from './terminal.ts';
import { counted } from './text.ts';

/** `holdfast rekey`. @throws ConfigError, StoreUnavailableError */
export function rekey(options: CommonOptions, terminal: Terminal): Promise<number> {
  const { out, signal } = terminal;
  return onRedis(
    options,
    terminal,
    async (store, { encryption }) => {
      if (encryption === undefined) {
        throw new ConfigError(
          'SESSION_ENCRYPTION_KEY is not set: there is no key to encrypt with, or to decrypt.',
        );
      }
      const shown = options.json ? null : showProgress('Encrypting', terminal);
      const onProgress = ({ sessions, total }: RekeyProgress) => shown?.update(sessions, total);
      const result = await store.upkeep.rekey({ onProgress, signal }).finally(() => shown?.end());
      const { cipher, ring } = encryption;
      const keyId = cipher === 'none' ? null : ring.primary.id;
      const { sessions, rewritten, unreadable } = result;
      if (options.json)
        out.write(`${JSON.stringify({ sessions, rewritten, keyId, unreadable })}\n`);
      else {
        const how = keyId === null ? 'decrypted' : `encrypted with key ${keyId}`;
        out.write(
          `${counted(sessions, 'session')} looked at, ${counted(rewritten, 'value')} ${how}.\n`,
        );
      }
      return report(result, terminal);
    },
    'Stopped. Run it again to go on from there.',
  );
}

function report({ unreadable }: RekeyProgress, { err }: Terminal): number {
  if (unreadable.length === 0) return exitCodes.done;
  err.write(
    `${unreadable.length} sessions have values that no key opens: ${unreadable.join(' ')}\nPut their key into the ring and run it again, or delete them.\n`,
  );
  return exitCodes.failed;
}
