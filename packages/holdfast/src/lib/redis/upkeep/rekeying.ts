import { createHash } from 'node:crypto';
import type { RecordKind, RecordPlace } from '../../codec/codec.ts';
import { StoreUnavailableError } from '../../errors/errors.ts';
import { randomId } from '../../model/ids.ts';
import type { RedisArgument } from '../connection/redis-connection.ts';
import { bytes, bytesOrNull, int, list, type ReplyList, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { incomplete } from '../core/refusals.ts';
import { whyUnreadable } from '../core/unreadable.ts';
import { type Header, isSound, none, parseHeader, userWord } from '../layout/header.ts';
import { word } from '../layout/keys.ts';
import { renewedDigest } from '../layout/request-digests.ts';
import type { IdBatch, IdRange } from '../reads/listing.ts';
import { scripts } from '../scripts/scripts.ts';
import type { UserIndex } from '../sessions/user-index.ts';

export interface RekeyProgress {
  /** Sessions looked at in this run. */
  readonly sessions: number;
  /** All that there were at the start. */
  readonly total: number;
  /** Values that this run encoded anew: states, credentials, pieces of messages, outcomes, live output. */
  readonly rewritten: number;
  /** Sessions with something whose key is not in the ring, as far as that can be told: their ids, the first 100. */
  readonly unreadable: readonly string[];
  /** Sessions with something that is damaged, so that no key opens it: their ids, the first 100. */
  readonly damaged: readonly string[];
}

export interface RekeyOptions {
  /** Called after each batch. */
  readonly onProgress?: ((progress: RekeyProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sessions at once, and what is read and written of one in one go. */
const atOnce = 8;
const itemsAtOnce = 16;
const bytesAtOnce = 1024 * 1024;
const mostNamed = 100;
/** A session that changes each time it is about to be written is tried so often. */
const tries = 50;

/** The lists of a session: the number of its key in the script, and among all of the session's. */
const lists = [
  { number: '2', key: 2, kind: 'outcome' },
  { number: '3', key: 3, kind: 'output' },
  { number: '4', key: 7, kind: 'messages' },
] as const satisfies readonly { number: string; key: number; kind: RecordKind }[];

/** Number of the key, field or index, the value that is there, the value to come. */
type Replacement = readonly [string, string, Buffer, Buffer | string];

/**
 * Encodes all that is stored as it would be stored today, with the first key of the ring, and brings
 * the entries of users' indexes under their first names. Sessions may be in use meanwhile: no lease
 * is taken, no version and no time moves.
 *
 * How far it has come is kept in Redis: after an end half-way, the next run goes on from there, and
 * then looks at the rest once more. A run that comes to its end has looked at every session itself.
 */
export class Rekeying<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;
  readonly #users: UserIndex<Metadata>;
  readonly #unreadable = new Set<string>();
  readonly #damaged = new Set<string>();
  #rewritten = 0;

  constructor(core: RedisCore<Metadata>, users: UserIndex<Metadata>) {
    this.#core = core;
    this.#users = users;
  }

  async run(
    batchesOf: (range: IdRange) => AsyncIterable<IdBatch>,
    { onProgress, signal }: RekeyOptions,
  ): Promise<RekeyProgress> {
    const { codec, keys, link } = this.#core;
    const place = `${keys.prefix}rekey`;
    // Another first key makes another name of the same user: what was begun for one is not for all.
    const target = word(`${codec.name} ${codec.userNames('rekey')[0]}`);
    const [begun, cursor] = list(await link.command(['HMGET', place, 'target', 'cursor'])).map(
      text,
    );
    const from = begun === target ? cursor : undefined;
    const total = await this.#count();
    let sessions = 0;
    const progress = (): RekeyProgress => ({
      sessions,
      total: Math.max(total, sessions),
      rewritten: this.#rewritten,
      unreadable: [...this.#unreadable],
      damaged: [...this.#damaged],
    });
    const look = async (batches: AsyncIterable<IdBatch>): Promise<void> => {
      for await (const { ids, cursor: next } of batches) {
        for (let at = 0; at < ids.length; at += atOnce) {
          signal?.throwIfAborted();
          await Promise.all(ids.slice(at, at + atOnce).map((id) => this.#session(id)));
        }
        sessions += ids.length;
        if (next !== null) await link.command(['HSET', place, 'target', target, 'cursor', next]);
        onProgress?.(progress());
      }
    };
    await look(batchesOf({ from }));
    // What the earlier run has left behind may have been written with an old key again since.
    if (from !== undefined) await look(batchesOf({ until: from }));
    await link.command(['DEL', place]);
    return progress();
  }

  async #count(): Promise<number> {
    const { keys, link } = this.#core;
    const counts = await Promise.all(
      Array.from({ length: keys.buckets }, (_, bucket) =>
        link.command(['ZCARD', keys.all(bucket)]),
      ),
    );
    return counts.reduce<number>((sum, count) => sum + int(count), 0);
  }

  async #session(id: string): Promise<void> {
    // Of one that is damaged here the rest is looked at all the same.
    const looked = (attempt: () => Promise<string>) =>
      attempt().catch((error: unknown) => {
        this.#found(id, error);
        return 'damaged';
      });
    let owner: string | null = null;
    const there = await looked(() =>
      this.#retried(id, () =>
        this.#values(id, (userId) => {
          owner = userId;
        }),
      ),
    );
    // What is wrong with the index is not the session's.
    if (owner !== null) await this.#users.gather(owner);
    if (there === 'gone') return;
    for (const which of lists) await looked(() => this.#list(id, which));
  }

  /** State, credentials, and the user's name. @param owned is told whose session it is, if anybody's */
  async #values(id: string, owned: (userId: string | null) => void): Promise<string> {
    const { known, link, records } = this.#core;
    const stored = list(await link.command(['HMGET', known.of(id).keys[0], 'h', 'd', 'c']));
    const [line, state, credentials] = stored.map(bytesOrNull);
    if (!line) return 'gone';
    const header = parseHeader(text(line));
    const at = { sessionId: id, incarnation: header.incarnation };
    const stateAt = { ...at, position: header.stateVersion };
    const credentialsAt = { ...at, position: header.credentialsVersion };
    const replacements: Replacement[] = [];
    let user = userWord(header.userName);
    try {
      if (!isSound(header) || !state || !credentials) throw incomplete(id);
      const value = records.readState(state, stateAt, header);
      if (records.isStale(state, { ...stateAt, kind: 'state' })) {
        replacements.push(['1', 'd', state, records.state(value, stateAt, header)]);
      }
      if (records.isStale(credentials, { ...credentialsAt, kind: 'credentials' })) {
        const own = records.readCredentials(credentials, header.tokenHash, credentialsAt);
        replacements.push(['1', 'c', credentials, records.credentials(own, credentialsAt)]);
      }
      owned(value.userId);
      user = userWord(this.#core.userName(value.userId));
    } catch (error) {
      this.#found(id, error);
    }
    const found = userWord(header.userName);
    return this.#put(id, header, replacements, user === found ? undefined : [found, user]);
  }

  /** From its end: what goes at the front moves the rest to where it has not been looked at. */
  async #list(id: string, { number, key, kind }: (typeof lists)[number]): Promise<string> {
    const { known, link } = this.#core;
    const { keys } = known.of(id);
    for (let to = int(await link.command(['LLEN', keys[key]])) - 1; to >= 0; ) {
      // Outcomes are pairs of a key and an entry.
      const from = Math.max(0, to - itemsAtOnce + 1) & ~1;
      const outcome = await this.#retried(id, async () => {
        const [line, items] = await Promise.all([
          link.command(['HGET', keys[0], 'h']),
          link.command(['LRANGE', keys[key], String(from), String(to)]),
        ]);
        if (line === null) return 'gone';
        const header = parseHeader(text(line));
        const replacements = this.#stale(id, header, kind, list(items)).map(
          ([at, old, renewed]): Replacement => [number, String(from + at), old, renewed],
        );
        return this.#put(id, header, replacements);
      });
      if (outcome === 'gone') return outcome;
      to = from - 1;
    }
    return 'done';
  }

  /** The items of a list that are to be replaced, with their places in it. */
  #stale(
    id: string,
    { incarnation }: Header,
    kind: RecordKind,
    items: ReplyList,
  ): (readonly [number, Buffer, Buffer])[] {
    return items.flatMap((item, at) => {
      const old = bytes(item);
      const position = positionOf(kind, old, text(items[at - 1]), at);
      if (position === null) return [];
      try {
        const renewed = this.#renewed(old, { sessionId: id, incarnation, kind, position });
        return renewed.equals(old) ? [] : [[at, old, renewed] as const];
      } catch (error) {
        this.#found(id, error);
        return [];
      }
    });
  }

  /** A line and a value, as they would be stored today. @throws DecryptionError */
  #renewed(item: Buffer, place: RecordPlace): Buffer {
    const { records } = this.#core;
    const end = item.indexOf(10);
    const line = item.toString('latin1', 0, end);
    const body = item.subarray(end + 1);
    const isStale = body.length > 0 && records.isStale(body, place);
    const value = isStale ? records.renew(body, place) : body;
    const renewedLine = place.kind === 'outcome' ? this.#renewedLine(line, place) : line;
    return Buffer.concat([
      Buffer.from(`${renewedLine}\n`, 'latin1'),
      typeof value === 'string' ? Buffer.from(value) : value,
    ]);
  }

  /** The line in front of an outcome (`outcomes.lua`). */
  #renewedLine(line: string, place: RecordPlace): string {
    const { codec, records } = this.#core;
    const [expiry, attempts, stored, done, request = '', effects = none] = line.split(' ');
    const digest = renewedDigest(codec, place.sessionId, String(place.position), request);
    const names = records.areEffectsStale(effects, place)
      ? records.effects(records.readEffects(effects, place), place)
      : effects;
    return [expiry, attempts, stored, done, digest, names].join(' ');
  }

  async #put(
    id: string,
    { incarnation }: Header,
    replacements: readonly Replacement[],
    user?: readonly [found: string, renewed: string],
  ): Promise<string> {
    const { keys } = this.#core.known.of(id);
    const own = [keys[0], keys[2], keys[3], keys[7]];
    const parts = inParts(replacements);
    if (parts.length === 0 && user !== undefined) parts.push([]);
    for (const [at, part] of parts.entries()) {
      const args: RedisArgument[] = [incarnation, ...(at === 0 && user ? user : ['*', '*'])];
      for (const [number, where, old, value] of part) {
        args.push(number, where, createHash('sha1').update(old).digest('hex'), value);
      }
      const reply = list(await this.#core.link.call(scripts.rekey, own, args, randomId()));
      const kind = text(reply[0]);
      if (kind !== 'done') return kind;
      this.#rewritten += part.length;
    }
    return 'done';
  }

  async #retried(id: string, attempt: () => Promise<string>): Promise<string> {
    for (let left = tries; left > 0; left -= 1) {
      const outcome = await attempt();
      if (outcome !== 'moved') return outcome;
    }
    throw new StoreUnavailableError(
      `Session ${id} changed each time it was about to be written with the new key. Run it again.`,
    );
  }

  #found(id: string, error: unknown): void {
    const why = whyUnreadable(id, error);
    if (why === null) throw error;
    const found = why.isDamaged ? this.#damaged : this.#unreadable;
    if (found.has(id) || found.size >= mostNamed) return;
    found.add(id);
    // A session may have thousands of such values, of which the first says why.
    this.#core.options.logger.warn({ err: error, sessionId: id }, `${id}: ${why.reason}`);
  }
}

/** Parts that are not larger than what is written in one go, unless one value is. */
function inParts(replacements: readonly Replacement[]): Replacement[][] {
  const parts: Replacement[][] = [];
  let room = 0;
  for (const replacement of replacements) {
    const size = replacement[3].length;
    const last = parts.at(-1);
    if (last === undefined || size > room) {
      parts.push([replacement]);
      room = bytesAtOnce - size;
    } else {
      last.push(replacement);
      room -= size;
    }
  }
  return parts;
}

/** What the item's place is named by; `null` for one that holds nothing to encode. */
function positionOf(
  kind: RecordKind,
  item: Buffer,
  before: string,
  at: number,
): number | string | null {
  const words = item.toString('latin1', 0, Math.max(0, item.indexOf(10))).split(' ');
  switch (kind) {
    case 'messages':
      return Number(words[0]);
    case 'output':
      return words[4] === '-' ? (words[2] ?? '') : null;
    default:
      return at % 2 === 1 && words.length === 6 ? before : null;
  }
}
