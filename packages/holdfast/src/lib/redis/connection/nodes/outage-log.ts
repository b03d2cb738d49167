import type { Logger } from '../../../store/emitter.ts';
import type { RedisAddress } from '../redis-address.ts';
import { type ConnectionPurpose, RedisTimeoutError } from '../redis-connection.ts';
import { describeFailure } from '../redis-failure.ts';

/**
 * Tells of an outage once, not per call: a warning when it shows and for each further cause, a line
 * when all connections are there again.
 */
export class OutageLog {
  readonly #address: RedisAddress;
  readonly #logger: Logger;
  readonly #down = new Set<ConnectionPurpose>();
  readonly #told = new Set<string>();
  #since = 0;
  #lastPhrase = '';

  constructor(address: RedisAddress, logger: Logger) {
    this.#address = address;
    this.#logger = logger;
  }

  /** A connection ended. Often it is back at once; one that stopped answering is no such case. */
  lost(purpose: ConnectionPurpose, why: Error): void {
    if (this.#down.size === 0) this.#since = performance.now();
    this.#down.add(purpose);
    this.#lastPhrase = describeFailure(why);
    if (why instanceof RedisTimeoutError) this.failed(purpose, why);
  }

  /** A connection could not be made. */
  failed(purpose: ConnectionPurpose, error: unknown): void {
    if (this.#down.size === 0) this.#since = performance.now();
    this.#down.add(purpose);
    const phrase = describeFailure(error);
    if (this.#told.has(phrase)) return;
    this.#told.add(phrase);
    const details = { address: this.#address.display, err: error };
    this.#logger.warn(details, `Redis ping failed: ${phrase}`);
  }

  up(purpose: ConnectionPurpose): void {
    if (!this.#down.delete(purpose) || this.#down.size > 0) return;
    const details = {
      address: this.#address.display,
      downMs: Math.round(performance.now() - this.#since),
    };
    this.#logger.info(
      details,
      this.#told.size > 0
        ? 'Redis answers again'
        : `Redis connection was lost (${this.#lastPhrase}) and is back`,
    );
    this.#told.clear();
  }
}
