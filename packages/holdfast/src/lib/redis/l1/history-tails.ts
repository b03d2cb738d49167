import { jsonBytes } from '../../json/json-value.ts';
import type { Message } from '../../model/message.ts';
import { type Aging, AgingCache } from '../known/aging.ts';
import { none } from '../layout/header.ts';
import type { Asked, BucketNews } from './bucket-news.ts';

/** What is kept of a session's history at most. */
const mostMessages = 50;
const mostBytes = 64 * 1024;

interface Tail {
  readonly incarnation: string;
  readonly bucket: BucketNews;
  readonly epoch: number;
  /** The newest messages there were, without a gap. */
  readonly messages: readonly Message[];
  /** Of each as JSON, in bytes. */
  readonly sizes: readonly number[];
}

/** The newest messages that a page asks for. */
interface Wanted {
  readonly incarnation: string;
  readonly limit: number;
  /** Exclusive. */
  readonly before: number;
}

/**
 * The newest messages of sessions, as they were read or written here. A history is only appended to,
 * so that what was its end stays right for whoever knows by `begin` how far it goes; unless a server
 * came back that had lost writes, which ends the bucket's epoch.
 */
export class HistoryTails {
  hits = 0;
  misses = 0;
  readonly #tails: AgingCache<Tail>;
  readonly #maxMessages: number;
  readonly #most: number;

  /** `size`: sessions of which a tail is kept; `maxMessages`: messages that a session keeps. */
  constructor(size: number, maxMessages: number, aging: Aging) {
    this.#tails = new AgingCache(size, aging);
    this.#maxMessages = maxMessages;
    this.#most = Math.min(mostMessages, maxMessages);
  }

  get size(): number {
    return this.#tails.size;
  }

  /** The page, if all of it is kept. */
  page(id: string, { incarnation, limit, before }: Wanted): readonly Message[] | undefined {
    const tail = this.#tails.get(id);
    const first = tail?.messages[0];
    const last = tail?.messages.at(-1);
    const isRight =
      tail !== undefined &&
      first !== undefined &&
      last !== undefined &&
      tail.incarnation === incarnation &&
      tail.epoch === tail.bucket.epoch &&
      before <= last.seq + 1;
    if (isRight) {
      const found = tail.messages.filter(({ seq }) => seq < before);
      if (
        found.length >= limit ||
        first.seq === 1 ||
        first.seq <= last.seq - this.#maxMessages + 1
      ) {
        this.hits += 1;
        return found.slice(Math.max(0, found.length - limit));
      }
    }
    this.misses += 1;
    return undefined;
  }

  /** Messages that were the newest, or have become it, in reply to what was asked. */
  keep(id: string, incarnation: string, asked: Asked, messages: readonly Message[]): void {
    const { bucket, epoch } = asked;
    const [first] = messages;
    if (first === undefined || epoch === null || epoch !== bucket.epoch) return;
    const before = this.#tails.peek(id);
    const goesOn =
      before?.incarnation === incarnation &&
      before.epoch === epoch &&
      before.messages.at(-1)?.seq === first.seq - 1;
    const sizes = messages.map(({ content }) => jsonBytes(content));
    const tail = this.#ending({
      messages: goesOn ? [...before.messages, ...messages] : messages,
      sizes: goesOn ? [...before.sizes, ...sizes] : sizes,
    });
    if (tail.messages.length === 0) this.#tails.delete(id);
    else this.#tails.set(id, { incarnation, bucket, epoch, ...tail });
  }

  /** The session of this incarnation has ended; `none` stands for any. */
  ended(id: string, incarnation: string): void {
    const tail = this.#tails.peek(id);
    if (incarnation === none || tail?.incarnation === incarnation) this.#tails.delete(id);
  }

  drop(id: string): void {
    this.#tails.delete(id);
  }

  #ending({ messages, sizes }: Pick<Tail, 'messages' | 'sizes'>) {
    let bytes = 0;
    let from = messages.length;
    while (from > 0 && messages.length - from < this.#most) {
      bytes += sizes[from - 1] ?? 0;
      if (bytes > mostBytes) break;
      from -= 1;
    }
    return { messages: messages.slice(from), sizes: sizes.slice(from) };
  }
}
