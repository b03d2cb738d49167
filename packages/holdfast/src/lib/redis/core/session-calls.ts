import type { RedisLink } from '../connection/link/redis-link.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { list, type ReplyList } from '../connection/reply.ts';
import type { Script } from '../connection/script.ts';
import { type Keys, newsKey, type SessionKeys } from '../layout/keys.ts';

/** A script's reply, and whether it was called more than once to get it. */
export interface Answer {
  readonly reply: ReplyList;
  /** An earlier call may have been executed, and its reply lost. */
  readonly repeated: boolean;
}

export interface SessionCallsOptions {
  readonly link: RedisLink;
  readonly keys: Keys;
  readonly keysOf: (id: string) => SessionKeys;
  /** How long results of turns are kept under their idempotency keys, in ms. */
  readonly outcomeTtlMs: number;
}

/** Scripts on one session: with which of its keys, and what each of them is told first. */
export class SessionCalls {
  readonly #link: RedisLink;
  readonly #keys: Keys;
  readonly #keysOf: (id: string) => SessionKeys;
  readonly #outcomeTtl: string;

  constructor({ link, keys, keysOf, outcomeTtlMs }: SessionCallsOptions) {
    this.#link = link;
    this.#keys = keys;
    this.#keysOf = keysOf;
    this.#outcomeTtl = String(outcomeTtlMs);
  }

  /** What the arguments of every script on a session begin with. */
  common(id: string): RedisArgument[] {
    return [id, this.#keys.inboxPrefix(id), this.#outcomeTtl];
  }

  /**
   * Calls a script on a session, with the first `keyCount` of its keys, and behind them the bucket's
   * news; `args` are all of them.
   */
  async run(
    script: Script,
    id: string,
    keyCount: number,
    args: readonly RedisArgument[],
    nonce?: string,
    deadline?: number,
  ): Promise<Answer> {
    const report = { repeated: false, deadline };
    const keys = this.#keysOf(id);
    const own = [...keys.slice(0, keyCount), keys[newsKey]];
    const reply = list(await this.#link.call(script, own, args, nonce, report));
    return { reply, repeated: report.repeated };
  }
}
