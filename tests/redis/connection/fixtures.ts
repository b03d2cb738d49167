import { inspect } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { connectNodeRedis } from '../../../packages/holdfast/src/lib/redis/connection/client/node-redis.ts';
import {
  RedisLink,
  type RedisLinkOptions,
} from '../../../packages/holdfast/src/lib/redis/connection/link/redis-link.ts';
import {
  RedisAddress,
  type RedisAddressOptions,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-address.ts';
import type {
  ConnectionPurpose,
  RedisConnection,
} from '../../../packages/holdfast/src/lib/redis/connection/redis-connection.ts';
import { defineScript } from '../../../packages/holdfast/src/lib/redis/connection/script.ts';
import type { Logger } from '../../../packages/holdfast/src/lib/store/emitter.ts';
import { type RedisOptions, type RedisServer, startRedis } from '../../servers/redis-server.ts';

/** Answers with its arguments. */
export const echo = defineScript('echo', 'return ARGV');
/** Adds one, once per nonce. */
export const addOnce = defineScript(
  'add-once',
  `local seen = redis.call('HGET', KEYS[1], ARGV[1])
   if seen then return tonumber(seen) end
   local sum = redis.call('HINCRBY', KEYS[1], 'sum', 1)
   redis.call('HSET', KEYS[1], ARGV[1], sum)
   return sum`,
);
const scripts = [echo, addOnce];

export interface LogLine {
  level: keyof Logger;
  details: object;
  message: string;
}

export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(details: object, message: string): void {
    this.lines.push({ level: 'debug', details, message });
  }

  info(details: object, message: string): void {
    this.lines.push({ level: 'info', details, message });
  }

  warn(details: object, message: string): void {
    this.lines.push({ level: 'warn', details, message });
  }

  error(details: object, message: string): void {
    this.lines.push({ level: 'error', details, message });
  }

  messages(level: keyof Logger): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }
}

export async function startedRedis(options?: RedisOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

/** Options of a link whose deadlines only turn a hang into a failure, unless a test says otherwise. */
export function linkOptions(
  address: string | RedisAddressOptions,
  overrides: Partial<RedisLinkOptions> = {},
): RedisLinkOptions & { logger: RecordingLogger } {
  const options = typeof address === 'string' ? { url: address } : address;
  const logger = new RecordingLogger();
  const resolved = overrides.address ?? new RedisAddress(options);
  const { password } = resolved;
  if (password !== undefined) {
    // With its errors and their causes, as a logger would write them.
    onTestFinished(() => expect(inspect(logger.lines, { depth: 10 })).not.toContain(password));
  }
  return {
    address: resolved,
    connect: connectNodeRedis,
    timeoutMs: 60_000,
    connectTimeoutMs: 60_000,
    retries: 3,
    scripts,
    ...overrides,
    logger,
  };
}

export async function openedLink(
  address: string | RedisAddressOptions,
  overrides?: Partial<RedisLinkOptions>,
): Promise<{ link: RedisLink; logger: RecordingLogger }> {
  const options = linkOptions(address, overrides);
  const link = await RedisLink.open(options);
  onTestFinished(() => link.close());
  return { link, logger: options.logger };
}

export async function connected(
  address: string | RedisAddressOptions,
  purpose: ConnectionPurpose = 'commands',
): Promise<RedisConnection> {
  const options = typeof address === 'string' ? { url: address } : address;
  const signal = AbortSignal.timeout(60_000);
  const connection = await connectNodeRedis(new RedisAddress(options), purpose, signal);
  onTestFinished(() => connection.destroy());
  return connection;
}

/** The error with which the promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not reject with an error.');
}
