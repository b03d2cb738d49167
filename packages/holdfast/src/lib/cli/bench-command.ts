import { randomBytes } from 'node:crypto';
import { createSessionManager } from '../config/create-session-manager.ts';
import type { Config } from '../config/load-config.ts';
import { HoldfastError } from '../errors/errors.ts';
import type { SessionManager } from '../manager/session-manager.ts';
import type { RedisSessionStore } from '../redis/redis-session-store.ts';
import { experiments } from './bench/experiments.ts';
import { type Measured, measure } from './bench/measure.ts';
import { loadRedisConfig, onRedisOnly, openingLogger } from './redis-store.ts';
import { table } from './table.ts';
import { type CommonOptions, exitCodes, said, type Terminal, widthOf } from './terminal.ts';
import { count } from './text.ts';

export interface BenchOptions extends CommonOptions {
  /** For all of it, in seconds. */
  readonly seconds: number;
}

/**
 * `holdfast bench`: what turns take on this Redis from here, in a namespace of its own that goes with the
 * command. @throws ConfigError, StoreUnavailableError
 */
export async function bench(options: BenchOptions, terminal: Terminal): Promise<number> {
  const { json, seconds } = options;
  const { out, err, signal } = terminal;
  const config = loadRedisConfig(options, terminal, 'it is Redis that is measured');
  // A prefix has 128 characters at most.
  const keyPrefix = `${config.redis.keyPrefix.slice(0, 100)}bench-${randomBytes(6).toString('hex')}:`;
  const own = { ...config, redis: { ...config.redis, keyPrefix } };
  const sessions = await opened(own, terminal);
  if (sessions === null) return exitCodes.interrupted;
  const { upkeep } = await onRedisOnly(sessions.store);
  const results: Measured[] = [];
  const run = experiments.filter(({ needsL1 }) => !needsL1 || config.redis.l1 !== undefined);
  const ms = (seconds * 1000) / run.length;
  try {
    for (const experiment of run) {
      if (!json) err.write(`${experiment.name} …\n`);
      results.push(await measure(experiment, sessions, { ms, signal }));
    }
    out.write(json ? `${JSON.stringify({ seconds, results })}\n` : shown(results, terminal));
    return exitCodes.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write('Stopped. What it had written is removed.\n');
    return exitCodes.interrupted;
  } finally {
    await dropped(upkeep, terminal);
    await sessions.close();
  }
}

/** `null` where the terminal's signal came first. @throws ConfigError, StoreUnavailableError */
async function opened(config: Config, terminal: Terminal): Promise<SessionManager | null> {
  const { err, signal } = terminal;
  const { logger, opened: isOpen } = openingLogger(terminal);
  try {
    const sessions = await createSessionManager(config, { logger, signal });
    isOpen();
    return sessions;
  } catch (error) {
    if (!signal.aborted) throw error;
    err.write('Stopped.\n');
    return null;
  }
}

/** What failed before is what is told of: this may well have failed by it. */
async function dropped(upkeep: RedisSessionStore['upkeep'], { err }: Terminal): Promise<void> {
  try {
    await upkeep.dropNamespace();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    err.write(said('warning: What it had written could not be removed; it expires by itself.'));
  }
}

function shown(results: readonly Measured[], terminal: Terminal): string {
  const ms = (number: number) => `${number.toFixed(number < 0.1 ? 4 : 2)} ms`;
  const rows = results.map(({ name, perSecond, p50Ms, p99Ms }) => [
    ...[name, count(Math.round(perSecond)), ms(p50Ms), ms(p99Ms)],
  ]);
  return table(['', 'A SECOND', 'HALF WITHIN', '99 % WITHIN'], rows, widthOf(terminal));
}
