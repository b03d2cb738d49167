import { ValidationError } from '../../errors/errors.ts';
import { assertId } from '../../model/ids.ts';
import type { Message } from '../../model/message.ts';
import type { HistoryOptions } from '../../store/session-store.ts';
import { bytes, int, list, text } from '../connection/reply.ts';
import type { RedisCore } from '../core/redis-core.ts';
import { gone, notFound } from '../core/refusals.ts';
import { none } from '../layout/header.ts';
import { scripts } from '../scripts/scripts.ts';

/** What one call to Redis brings at most; a page is put together of as many as it takes. */
const callMessages = 512;
const callBytes = 1024 * 1024;

interface Part {
  readonly messages: readonly Message[];
  /** The `seq` of the newest message there was. */
  readonly newest: number;
  readonly incarnation: string;
}

/** Pages of a session's history. */
export class HistoryReader<Metadata extends object> {
  readonly #core: RedisCore<Metadata>;

  constructor(core: RedisCore<Metadata>) {
    this.#core = core;
  }

  /** A page, oldest first. @throws SessionNotFoundError, SessionGoneError, ValidationError */
  async page(id: string, options: HistoryOptions): Promise<readonly Message[]> {
    options.signal?.throwIfAborted();
    const { limit = Infinity, before = Infinity, after } = options;
    const given = { limit: options.limit, before: options.before, after };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
        throw new ValidationError(`${name} must be a whole number from 0, not ${value}.`);
      }
    }
    assertId(id, 'A session id');
    const { incarnation } = options;
    if (after === undefined && incarnation !== undefined) {
      const kept = this.#core.known.tails?.page(id, { incarnation, limit, before });
      if (kept !== undefined) return Object.freeze(kept);
    }
    return Object.freeze(
      after === undefined
        ? await this.#newest(id, { limit, before, incarnation })
        : await this.#oldest(id, { limit, before, after, incarnation }),
    );
  }

  async #newest(
    id: string,
    {
      limit,
      before,
      incarnation,
    }: { limit: number; before: number; incarnation?: string | undefined },
  ): Promise<Message[]> {
    const parts: (readonly Message[])[] = [];
    let left = limit;
    let bound = before;
    const sent = this.#core.known.sent(id);
    for (let same = incarnation; ; ) {
      const part = await this.#part(id, ['newest', bound, left], same);
      same = part.incarnation;
      if (bound > part.newest) this.#core.known.keepTail(id, sent, same, part.messages);
      const fitting = part.messages.filter(({ seq }) => seq < bound);
      const messages =
        left === Infinity ? fitting : fitting.slice(Math.max(0, fitting.length - left));
      parts.push(messages);
      left -= messages.length;
      const [first] = messages;
      if (first === undefined || left === 0 || first.seq === 1) break;
      bound = first.seq;
    }
    return parts.reverse().flat();
  }

  async #oldest(
    id: string,
    options: { limit: number; before: number; after: number; incarnation?: string | undefined },
  ): Promise<Message[]> {
    const { limit, before } = options;
    const found: Message[] = [];
    let { after, incarnation } = options;
    for (;;) {
      const part = await this.#part(id, ['oldest', after, limit - found.length], incarnation);
      incarnation = part.incarnation;
      const messages = part.messages.filter(({ seq }) => seq > after);
      const last = messages.at(-1);
      found.push(...messages.filter(({ seq }) => seq < before));
      if (last === undefined || last.seq >= before - 1 || found.length >= limit) break;
      after = last.seq;
    }
    return found.length > limit ? found.slice(0, limit) : found;
  }

  async #part(
    id: string,
    [direction, bound, most]: [string, number, number],
    incarnation: string | undefined,
  ): Promise<Part> {
    const { options, known, link, records } = this.#core;
    const { keys } = known.of(id);
    const args = [
      incarnation ?? none,
      direction,
      String(Math.min(bound, Number.MAX_SAFE_INTEGER)),
      String(Math.min(most, callMessages)),
      String(callBytes),
      String(options.maxMessages),
    ];
    const reply = list(await link.call(scripts.messages, [keys[0], keys[7]], args));
    const kind = text(reply[0]);
    if (kind === 'none') throw notFound(id);
    if (kind === 'gone') throw gone(id);
    const newest = int(reply[1]);
    const place = { sessionId: id, incarnation: text(reply[2]) };
    const messages = reply.slice(3).flatMap((piece) => records.readMessages(bytes(piece), place));
    return {
      messages: messages.filter(({ seq }) => seq > newest - options.maxMessages),
      newest,
      incarnation: place.incarnation,
    };
  }
}
