import type { RedisLink } from '../connection/link/redis-link.ts';
import { text } from '../connection/reply.ts';

/** What time it is at the server, in ms since the epoch: asked once, and told again by replies. */
export class ServerClock {
  readonly #link: Pick<RedisLink, 'command'>;
  /** The server's time less this process's monotonic one; `null` until it was asked for. */
  #ahead: number | null = null;

  constructor(link: Pick<RedisLink, 'command'>) {
    this.#link = link;
  }

  /** Exact as of the reply. */
  async now(): Promise<number> {
    const reply = (await this.#link.command(['TIME'])) as readonly Buffer[];
    const [seconds = 0, micros = 0] = reply.map((part) => Number(text(part)));
    const now = seconds * 1_000 + Math.floor(micros / 1_000);
    this.told(now);
    return now;
  }

  /** As far as can be told without asking, unless nothing was told yet. */
  async estimate(): Promise<number> {
    if (this.#ahead === null) return this.now();
    return Math.round(performance.now() + this.#ahead);
  }

  told(now: number): void {
    this.#ahead = now - performance.now();
  }
}
