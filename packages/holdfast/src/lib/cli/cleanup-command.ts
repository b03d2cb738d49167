import { onRedis } from './redis-store.ts';
import { type CommonOptions, exitCodes, type Terminal } from './terminal.ts';
import { counted } from './text.ts';

/** `holdfast cleanup`. @throws ConfigError, StoreUnavailableError */
export function cleanup(options: CommonOptions, terminal: Terminal): Promise<number> {
  const { out, signal } = terminal;
  const run = async (store: {
    cleanupExpired(options: { signal: AbortSignal }): Promise<number>;
  }) => {
    const removed = await store.cleanupExpired({ signal });
    out.write(
      options.json
        ? `${JSON.stringify({ removed })}\n`
        : `${counted(removed, 'expired session')} removed.\n`,
    );
    return exitCodes.done;
  };
  return onRedis(options, terminal, run, 'Stopped. What was removed stays so.');
}
