import { type Clock, systemClock } from '../clock.ts';
import { ConfigError } from '../errors/errors.ts';
import type { JsonObject } from '../json/json-value.ts';
import {
  type MetadataReader,
  type MetadataSchema,
  metadataReader,
  plainMetadata,
} from '../model/metadata.ts';
import { type Logger, silentLogger } from './emitter.ts';

/** What every driver takes. Durations are milliseconds, from 1 to 2^31 - 1 (24 days). */
export interface StoreOptions<
  Metadata extends object = JsonObject,
  MetadataInput extends object = Metadata,
> {
  /** The idle timeout. Default 30 minutes. */
  readonly idleTimeoutMs?: number | undefined;
  /** The absolute timeout, from creation. Default 24 hours. */
  readonly absoluteTimeoutMs?: number | undefined;
  /** Messages kept in a session; the oldest go first. Default 1,000. */
  readonly maxMessages?: number | undefined;
  /** How long the outcome of a keyed turn is kept. Default 24 hours. */
  readonly outcomeTtlMs?: number | undefined;
  /** Sessions that one user may have; 0, the default, for no cap. */
  readonly maxPerUser?: number | undefined;
  /** At the cap: end the user's oldest session (the default), or refuse the new one. */
  readonly maxPerUserPolicy?: 'evict_oldest' | 'reject' | undefined;
  /**
   * How often what has expired is removed in the background, from 100. Default 5 minutes; what is
   * longer than 5 seconds counts as that, so that nothing outlives its end by more.
   */
  readonly cleanupIntervalMs?: number | undefined;
  /** Whether turns take leases. Default true; without them commits are compare-and-set. */
  readonly locking?: boolean | undefined;
  /** Any Standard Schema; checked on write and on read. */
  readonly metadata?: MetadataSchema<MetadataInput, Metadata> | undefined;
  readonly clock?: Clock | undefined;
  /** Silent unless given. */
  readonly logger?: Logger | undefined;
}

export interface ResolvedStoreOptions<Metadata extends object> {
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly maxMessages: number;
  readonly outcomeTtlMs: number;
  readonly maxPerUser: number;
  readonly maxPerUserPolicy: 'evict_oldest' | 'reject';
  /** What has expired is removed so much later at most. */
  readonly removedWithinMs: number;
  readonly locking: boolean;
  readonly readMetadata: MetadataReader<Metadata>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const minute = 60_000;
export const maxDurationMs = 2 ** 31 - 1;
/** Law 7: removal may lag so much behind expiry. */
const longestRemovalMs = 5_000;

/** @throws ConfigError for a value out of its range. */
export function resolveStoreOptions<Metadata extends object>(
  options: StoreOptions<Metadata, object>,
): ResolvedStoreOptions<Metadata> {
  const { metadata } = options;
  return {
    idleTimeoutMs: whole(options.idleTimeoutMs ?? 30 * minute, 'idleTimeoutMs', maxDurationMs),
    absoluteTimeoutMs: whole(
      options.absoluteTimeoutMs ?? 1440 * minute,
      'absoluteTimeoutMs',
      maxDurationMs,
    ),
    maxMessages: whole(options.maxMessages ?? 1_000, 'maxMessages', 1_000_000),
    outcomeTtlMs: whole(options.outcomeTtlMs ?? 1440 * minute, 'outcomeTtlMs', maxDurationMs),
    maxPerUser: whole(options.maxPerUser ?? 0, 'maxPerUser', 1_000_000, 0),
    maxPerUserPolicy: options.maxPerUserPolicy ?? 'evict_oldest',
    removedWithinMs: Math.min(
      whole(options.cleanupIntervalMs ?? 5 * minute, 'cleanupIntervalMs', maxDurationMs, 100),
      longestRemovalMs,
    ),
    locking: options.locking ?? true,
    // Without a schema the type parameter is JsonObject, unless the caller chose it unchecked.
    readMetadata:
      metadata === undefined
        ? (plainMetadata as MetadataReader<object> as MetadataReader<Metadata>)
        : metadataReader(metadata),
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
  };
}

/** @throws ConfigError unless the value is a whole number from `min` to `max`. */
export function whole(value: number, name: string, max: number, min = 1): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new ConfigError(`${name} must be a whole number from ${min} to ${max}, not ${value}.`);
}
