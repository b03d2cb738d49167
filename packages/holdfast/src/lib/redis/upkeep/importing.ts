import { randomId } from '../../model/ids.ts';
import { noCredentials, type SessionInit } from '../../model/session.ts';
import { parseInit } from '../../model/state.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { bytesOrNull, list, type ReplyList, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { completing } from '../core/refusals.ts';
import { formatCounters, none, parseHeader, userWord } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { rejoinNamespace } from '../layout/namespace.ts';
import { scripts } from '../scripts/scripts.ts';
import type { Removals } from '../sessions/removals.ts';
import type { UserIndex } from '../sessions/user-index.ts';

/** What a session is imported from. */
export interface Original {
  /** Of all that it holds: another digest is another content. One word. */
  readonly digest: string;
  /** When it expires, in ms since the epoch by its own server's clock; `null` when it does not. */
  readonly expiry: { readonly earliest: number; readonly latest: number } | null;
}

/** When a session of another system began and was used, in ms since the epoch. */
export interface ImportedTimes {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastActivity: number;
  /** How long it still has, in ms, asked at the last moment; `null` for the idle timeout. */
  readonly remainingMs: () => number | null;
}

const verdicts = [
  'new',
  'changed',
  'unchanged',
  'ended',
  'committed',
  'deleted',
  'exists',
] as const;

/** What there is to do for an original, and why not; `import.lua` says what each means. */
export type ImportVerdict = (typeof verdicts)[number];

/** Entries of the ledger looked at in one go. */
const scanned = '500';

/**
 * Takes over sessions of another system. Of each the bucket's ledger says which original it was made of,
 * and which version it had: so a run may be repeated, and never replaces what was written here.
 */
export class Importing<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;
  readonly #removals: Removals<Metadata>;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>, removals: Removals<Metadata>) {
    this.#core = core;
    this.#users = users;
    this.#removals = removals;
  }

  /** What `import` would do; changes nothing. */
  async look(id: string, original: Original): Promise<ImportVerdict> {
    return verdictOf(await this.#call(id, this.#about(id, 'look', original), randomId()));
  }

  /**
   * Imports what is new or has changed.
   * @returns `imported`, or why not. @throws ValidationError
   */
  async import(
    id: string,
    original: Original,
    init: SessionInit,
    times: ImportedTimes,
  ): Promise<'imported' | ImportVerdict> {
    const { clock, keys, options, records } = this.#core;
    const { state, counters } = parseInit(id, init);
    const { userId } = state;
    const nonce = randomId();
    const incarnation = randomId();
    const name = `m${word(nonce)}`;
    const reservation =
      userId === null
        ? null
        : await this.#users.enter(userId, id, { nonce, mayStay: async () => {} });
    const settle = async () => {
      if (userId !== null && reservation !== null) {
        await this.#users.settle(userId, id, reservation);
      }
    };
    const now = await clock.estimate();
    const remainingMs = Math.max(1, times.remainingMs() ?? options.idleTimeoutMs);
    // Counted from now: by its creation an old one would end at once.
    const absoluteExpiresAt = now + Math.max(options.absoluteTimeoutMs, remainingMs);
    const place = { sessionId: id, incarnation, position: 1 };
    const args = [
      ...this.#about(id, 'import', original),
      name,
      incarnation,
      `${name}.${incarnation}`,
      userWord(this.#core.userName(userId)),
      records.state(state, place, { createdAt: times.createdAt, absoluteExpiresAt }),
      records.credentials(noCredentials, place),
      formatCounters(counters),
      ...[times.createdAt, times.updatedAt, times.lastActivity, remainingMs].map(String),
      String(absoluteExpiresAt),
      String(keys.buckets),
    ];
    const reply = await this.#call(id, args, nonce);
    if (text(reply[0]) !== 'imported') {
      await settle();
      return verdictOf(reply);
    }
    await this.#core.replicas.confirm(id, nonce);
    this.#core.known.forget(id);
    await this.#replaced(id, this.#core.userName(userId), reply);
    if (userId === null || reservation === null) return 'imported';
    const event = await completing(nonce, this.#users.confirm(userId, id, reservation));
    if (event === null) return 'imported';
    await completing(nonce, this.#removals.delete(id, { event, incarnation }));
    await settle();
    return 'deleted';
  }

  /** Of which original the session was made; `null` for one that was not imported. */
  async digestOf(id: string): Promise<string | null> {
    const { keys, link } = this.#core;
    const entry = text(await link.command(['HGET', keys.imports(keys.bucketOf(id)), id]));
    return entry.split(' ')[0] || null;
  }

  /** The original is gone, so nothing has to be known of it any more. */
  async forget(id: string): Promise<void> {
    const { keys, link } = this.#core;
    await link.command(['HDEL', keys.imports(keys.bucketOf(id)), id], randomId());
  }

  /**
   * Forgets originals that have expired.
   * @param now by their server's clock, in ms since the epoch
   */
  async forgetExpired(now: number, isThere: (id: string) => boolean): Promise<void> {
    const { keys, link } = this.#core;
    for (let bucket = 0; bucket < keys.buckets; bucket++) {
      const key = keys.imports(bucket);
      let cursor = '0';
      do {
        const [next, flat] = list(await link.command(['HSCAN', key, cursor, 'COUNT', scanned]));
        const words = list(flat ?? []).map(text);
        for (let at = 0; at < words.length; at += 2) {
          const id = words[at] ?? '';
          const latest = Number(words[at + 1]?.split(' ')[4]);
          if (latest < now && !isThere(id)) await this.forget(id);
        }
        cursor = text(next);
      } while (cursor !== '0');
    }
  }

  #about(id: string, what: 'look' | 'import', { digest, expiry }: Original): RedisArgument[] {
    const { earliest, latest } = expiry ?? { earliest: none, latest: none };
    return [...this.#core.calls.common(id), what, digest, String(earliest), String(latest)];
  }

  async #call(id: string, args: readonly RedisArgument[], nonce: string): Promise<ReplyList> {
    const { keys, link } = this.#core;
    const own = keys.session(id);
    const all = [...own.slice(0, -1), keys.imports(keys.bucketOf(id)), own.at(-1) ?? ''];
    const call = async (flags: string) =>
      list(await link.call(scripts.import, all, [...args, flags], nonce));
    const reply = await call('');
    if (text(reply[0]) !== 'namespace') return reply;
    await rejoinNamespace(link, keys);
    return call('n');
  }

  /** What follows for the session that was in the place. */
  async #replaced(id: string, heir: string | null, reply: ReplyList): Promise<void> {
    const line = bytesOrNull(reply[1]);
    const state = bytesOrNull(reply[2]);
    if (line === null || state === null) return;
    await this.#removals.left(id, parseHeader(text(line)), state, 'deleted', heir);
  }
}

function verdictOf(reply: ReplyList): ImportVerdict {
  const word = text(reply[0]);
  const verdict = verdicts.find((known) => known === word);
  if (verdict === undefined) throw new TypeError(`The import script replied with ${word}.`);
  return verdict;
}
