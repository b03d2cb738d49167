import type { Socket } from 'node:net';
import type { Direction, FaultKind, FaultPlan } from './fault-plan.ts';
import { Lane } from './lane.ts';
import { FrameReader, isPush, wordsOf } from './resp-frames.ts';

/** A fault that a test asked for, for one reply. */
export interface OneShot {
  readonly kind: 'cutBeforeReply' | 'blackHole';
  readonly matching: (request: Buffer) => boolean;
  readonly happened: () => void;
}

export interface FlakyConnectionOptions {
  readonly client: Socket;
  readonly server: Socket;
  readonly plan: FaultPlan;
  /** Takes the one-shot for this request, if there is one. */
  readonly takeOneShot: (request: Buffer) => OneShot | undefined;
  /** The connection ended before the reply came: it is for another request. */
  readonly giveBack: (oneShot: OneShot) => void;
}

/** A request whose replies have not all come. */
interface Asked {
  readonly request: Buffer;
  /** It must not be lost again. */
  readonly isDue: boolean;
  /** Confirmations that come as pushes; undefined when the reply is an ordinary one. */
  pushes: number | undefined;
  readonly oneShot: OneShot | undefined;
}

const pieceGapMs = 1;

/** One client's connection to the server, through the faults. */
export class FlakyConnection {
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<void>;
  readonly #options: FlakyConnectionOptions;
  readonly #random: () => number;
  readonly #toServer: Lane;
  readonly #toClient: Lane;
  readonly #asked: Asked[] = [];
  readonly #stopping = new AbortController();
  /** From now on, everything that comes is dropped. */
  #isDeaf = false;

  constructor(options: FlakyConnectionOptions) {
    const { client, server } = options;
    this.#options = options;
    this.#random = options.plan.randomForConnection();
    this.#toServer = new Lane(server, this.#stopping.signal);
    this.#toClient = new Lane(client, this.#stopping.signal);
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => {});
    const requests = new FrameReader();
    client.on('data', (chunk) => {
      for (const frame of requests.push(chunk)) this.#request(frame);
    });
    const replies = new FrameReader();
    server.on('data', (chunk) => {
      for (const frame of replies.push(chunk)) this.#reply(frame);
    });
    client.on('close', () => this.#toServer.run(() => server.destroySoon()));
    server.on('close', () => {
      // In a black hole, not even the server's end is seen.
      if (!this.#isDeaf) this.#toClient.run(() => client.destroySoon());
    });
    this.closed = this.#end();
  }

  destroy(): void {
    this.#isDeaf = true;
    this.#stopping.abort();
    this.#options.client.destroy();
    this.#options.server.destroy();
  }

  #request(request: Buffer): void {
    const { plan, takeOneShot } = this.#options;
    if (this.#isDeaf) {
      plan.lost(request);
      return;
    }
    const oneShot = takeOneShot(request);
    const isDue = plan.isDue(request);
    this.#asked.push({ request, isDue, oneShot, pushes: confirmationsOf(request) });
    this.#pass(request, oneShot === undefined ? this.#draw('request') : undefined, this.#toServer);
  }

  #reply(frame: Buffer): void {
    if (this.#isDeaf) return;
    const kind = this.#asked[0]?.oneShot === undefined ? this.#draw('reply') : undefined;
    const isGivenBack = kind === undefined || kind === 'delay' || kind === 'split';
    const oneShot = isGivenBack ? this.#answered(frame) : undefined;
    this.#pass(frame, oneShot?.kind ?? kind, this.#toClient);
    if (oneShot !== undefined) this.#toClient.run(oneShot.happened);
  }

  #draw(direction: Direction): FaultKind | undefined {
    const mayBreak = !this.#asked.some(({ isDue }) => isDue);
    return this.#options.plan.draw(direction, this.#random, mayBreak);
  }

  #pass(frame: Buffer, kind: FaultKind | undefined, lane: Lane): void {
    const { maxDelayMs } = this.#options.plan;
    if (kind === 'delay') lane.pause(1 + this.#random() * (maxDelayMs - 1));
    if (kind === undefined || kind === 'delay') lane.write(frame);
    else if (kind === 'split') this.#writeInPieces(frame, lane);
    else this.#break(frame, kind, lane);
  }

  #writeInPieces(frame: Buffer, lane: Lane): void {
    const random = this.#random;
    for (let rest = frame; rest.length > 0; ) {
      const length = Math.min(1 + Math.floor(random() * random() * frame.length), rest.length);
      lane.write(rest.subarray(0, length));
      rest = rest.subarray(length);
      // So that the pieces come one by one.
      if (rest.length > 0) lane.pause(pieceGapMs);
    }
  }

  /** What came before it, in both directions, still arrives. */
  #break(frame: Buffer, kind: FaultKind, lane: Lane): void {
    this.#isDeaf = true;
    for (const { request } of this.#asked) this.#options.plan.lost(request);
    if (kind === 'blackHole') return;
    if (kind === 'cutMidReply') {
      lane.write(frame.subarray(0, 1 + Math.floor(this.#random() * (frame.length - 1))));
    }
    this.#toClient.run(() => this.#options.client.destroySoon());
    this.#toServer.run(() => this.#options.server.destroySoon());
  }

  /** @returns the one-shot for the request that this, with what came before, answers */
  #answered(frame: Buffer): OneShot | undefined {
    const [asked] = this.#asked;
    if (asked === undefined) return undefined;
    if (isPush(frame)) {
      const isConfirmation = wordsOf(frame)[0]?.endsWith('subscribe') === true;
      if (!isConfirmation || asked.pushes === undefined) return undefined;
      asked.pushes -= 1;
      if (asked.pushes > 0) return undefined;
    }
    this.#asked.shift();
    this.#options.plan.answered(asked.request);
    return asked.oneShot;
  }

  async #end(): Promise<void> {
    const { client, server, giveBack } = this.#options;
    await Promise.all([closeOf(client), closeOf(server)]);
    this.#stopping.abort();
    await Promise.all([this.#toServer.done, this.#toClient.done]);
    for (const { oneShot } of this.#asked) if (oneShot !== undefined) giveBack(oneShot);
  }
}

/** Of a socket that may have failed, too. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** How many pushes confirm a request, where no reply does (RESP 3). */
function confirmationsOf(request: Buffer): number | undefined {
  if (!/subscribe\r?\n/i.test(request.toString('latin1', 0, 64))) return undefined;
  const [command = '', ...channels] = wordsOf(request);
  return /^[ps]?(un)?subscribe$/i.test(command) ? Math.max(channels.length, 1) : undefined;
}
