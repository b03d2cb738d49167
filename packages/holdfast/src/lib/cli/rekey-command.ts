import { ConfigError } from '../errors/errors.ts';
import type { RekeyProgress } from '../redis/upkeep/rekeying.ts';
import { showProgress } from './progress.ts';
import { onRedis } from './redis-store.ts';
import { type CommonOptions, exitCodes, said, type Terminal } from './terminal.ts';
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
      const { sessions, rewritten, unreadable, damaged } = result;
      if (options.json) {
        const all = { sessions, rewritten, keyId, unreadable, damaged };
        out.write(`${JSON.stringify(all)}\n`);
      } else {
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

function report({ unreadable, damaged }: RekeyProgress, { err }: Terminal): number {
  const tell = (ids: readonly string[], what: string, remedy: string) => {
    if (ids.length === 0) return;
    err.write(said(`${counted(ids.length, 'session')} with values ${what}: ${ids.join(' ')}`));
    err.write(said(remedy));
  };
  tell(
    unreadable,
    'that no key opens',
    'Put their key into the ring and run it again, or delete them.',
  );
  tell(
    damaged,
    'that are damaged, which no key mends',
    'Bring them back from a backup and run it again, or delete them.',
  );
  return unreadable.length + damaged.length === 0 ? exitCodes.done : exitCodes.failed;
}
