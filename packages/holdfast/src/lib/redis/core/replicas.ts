import { OutcomeUnknownError, StoreUnavailableError } from '../../errors/errors.ts';
import { sentenceOf } from '../../errors/sentence-of.ts';
import type { RedisLink } from '../connection/link/redis-link.ts';
import type { Keys, SessionKeys } from '../layout/keys.ts';

/** When a write counts as done: when the primary has it, or when a replica has it too. */
export type Durability = 'async' | 'replicated';

export interface ReplicasOptions {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly keysOf: (id: string) => SessionKeys;
  readonly durability: Durability;
}

/** The wait for a replica, of what must not be lost with its server. */
export class Replicas {
  readonly #link: RedisLink;
  readonly #keys: Keys;
  readonly #keysOf: (id: string) => SessionKeys;
  readonly #isReplicated: boolean;

  constructor({ link, keys, keysOf, durability }: ReplicasOptions) {
    this.#link = link;
    this.#keys = keys;
    this.#keysOf = keysOf;
    this.#isReplicated = durability === 'replicated';
  }

  /**
   * Waits until a replica has a write that has taken effect, where that was asked for.
   *
   * @param always also where it was not, if there is a replica
   * @throws OutcomeUnknownError when none has it in time, or the user may not ask
   */
  async confirm(
    id: string,
    nonce: string,
    {
      always = false,
      deadline = performance.now() + this.#link.timeoutMs,
    }: { readonly always?: boolean; readonly deadline?: number | undefined } = {},
  ): Promise<void> {
    if (!this.#isReplicated && !always) return;
    const [key] = this.#keysOf(id);
    const server = this.#link.serverOf(key);
    const ifAny = !this.#isReplicated;
    try {
      if (await this.#link.confirm(server, this.#keys.mark(key), { deadline, ifAny })) return;
    } catch (cause) {
      if (!(cause instanceof StoreUnavailableError)) throw cause;
      throw new OutcomeUnknownError(
        `A write to session ${id} took effect, but it cannot be asked whether a replica has it. ${sentenceOf(cause)}`,
        { nonce, cause },
      );
    }
    throw new OutcomeUnknownError(
      `A write to session ${id} took effect, but no replica of ${this.#link.address.display} confirmed it in time: it is lost if that server is. Look whether replicas are connected.`,
      { nonce },
    );
  }
}
