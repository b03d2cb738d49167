import { createHash } from 'node:crypto';
import { seededRandom } from './seeded-random.ts';

/** Of a request, or of a reply or message, and what becomes of it and its connection. */
export type FaultKind =
  /** It comes later. */
  | 'delay'
  /** It comes in pieces. */
  | 'split'
  /** The server never sees it. */
  | 'cutBeforeRequest'
  /** The server has done it, the client never learns. */
  | 'cutBeforeReply'
  /** The client gets a part. */
  | 'cutMidReply'
  /** It is swallowed, and everything after it in both directions; the connection stays open. */
  | 'blackHole';

export type Direction = 'request' | 'reply';

export interface FlakySettings {
  /** Share of requests, and of replies and messages, that meet a fault: from 0 to 1. */
  readonly rate: number;
  /** Default: `FLAKY_SEED` from the environment, else any. */
  readonly seed?: number;
  /** Default: all. */
  readonly kinds?: readonly FaultKind[];
  /** The longest delay; default 5 ms. */
  readonly maxDelayMs?: number;
  /**
   * How often the same request, byte for byte, may be lost before it is answered; default 2. A client
   * that repeats more often than that always gets through.
   */
  readonly maxInARow?: number;
}

const kindsOf: Readonly<Record<Direction, readonly FaultKind[]>> = {
  request: ['delay', 'split', 'cutBeforeRequest', 'blackHole'],
  reply: ['delay', 'split', 'cutBeforeReply', 'cutMidReply', 'blackHole'],
};

/** Which faults happen, and how many did. */
export class FaultPlan {
  readonly seed: number;
  readonly maxDelayMs: number;
  readonly counts: Record<FaultKind, number> = {
    ...{ delay: 0, split: 0, blackHole: 0 },
    ...{ cutBeforeRequest: 0, cutBeforeReply: 0, cutMidReply: 0 },
  };
  isHealthy = false;
  readonly #rate: number;
  readonly #kinds: ReadonlySet<FaultKind>;
  readonly #maxInARow: number;
  /** How often requests, by their digest, were lost since they were last answered. */
  readonly #losses = new Map<string, number>();
  #connections = 0;

  constructor(settings: FlakySettings) {
    this.seed = settings.seed ?? seedFromEnvironment() ?? Math.floor(Math.random() * 2 ** 32);
    this.maxDelayMs = settings.maxDelayMs ?? 5;
    this.#rate = settings.rate;
    this.#kinds = new Set(settings.kinds ?? Object.values(kindsOf).flat());
    this.#maxInARow = settings.maxInARow ?? 2;
  }

  /** Of the next connection: its faults depend on its number and on what goes over it alone. */
  randomForConnection(): () => number {
    this.#connections += 1;
    return seededRandom(this.seed + Math.imul(this.#connections, 0x9e3779b1));
  }

  /** @param mayBreak whether the connection may come to its end by this */
  draw(direction: Direction, random: () => number, mayBreak: boolean): FaultKind | undefined {
    const [chance, choice] = [random(), random()];
    if (this.isHealthy || chance >= this.#rate) return undefined;
    const kinds = kindsOf[direction].filter(
      (kind) => this.#kinds.has(kind) && (mayBreak || kind === 'delay' || kind === 'split'),
    );
    const kind = kinds[Math.floor(choice * kinds.length)];
    if (kind !== undefined) this.counts[kind] += 1;
    return kind;
  }

  /** Whether it was lost as often as may be. */
  isDue(request: Buffer): boolean {
    return (this.#losses.get(digest(request)) ?? 0) >= this.#maxInARow;
  }

  lost(request: Buffer): void {
    const key = digest(request);
    this.#losses.set(key, (this.#losses.get(key) ?? 0) + 1);
  }

  answered(request: Buffer): void {
    if (this.#losses.size > 0) this.#losses.delete(digest(request));
  }
}

function digest(request: Buffer): string {
  return createHash('sha1').update(request).digest('base64');
}

function seedFromEnvironment(): number | undefined {
  const seed = process.env.FLAKY_SEED;
  return seed === undefined || seed === '' ? undefined : Number(seed);
}
