import type { FastifyReply } from 'fastify';
import type { Clock } from 'holdfast';

/** So much is handed to the connection at once: what a slow reader costs beside the events it is of. */
export const sliceBytes = 16 * 1024;
/** Of a UTF-16 code unit in UTF-8. */
const maxBytesPerUnit = 3;
/** A reader that takes longer for one slice is let go; it may come back and resume. */
const patienceMs = 60_000;

/**
 * The body of a streamed answer. What is added goes out when all that is due now has been done, in one
 * write, which costs more than many events do; only the first of it goes at once. Nothing here rejects.
 */
export class StreamedBody {
  readonly #reply: FastifyReply;
  readonly #clock: Clock;
  readonly #onClose: () => void;
  #connected = true;
  /** Whether anything has been sent, if only the head. */
  #hasBegun = false;
  /** Added, and not handed to the connection yet. */
  #due = '';
  #soon: NodeJS.Immediate | undefined;
  #writing: Promise<void> | null = null;
  #letGo = () => {};

  /** @param onClose called back once when the connection is closed, at once if it is already. */
  constructor(reply: FastifyReply, clock: Clock, onClose: () => void) {
    this.#reply = reply;
    this.#clock = clock;
    this.#onClose = onClose;
    // What a cut connection reports; that it is closed follows.
    reply.raw.on('error', () => {});
    if (reply.raw.destroyed) this.#close();
    else reply.raw.once('close', () => this.#close());
  }

  /** Whether the reader is still there. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Whether the connection has yet to take what it was handed: no more should be added before. */
  get isTaking(): boolean {
    return this.#writing !== null;
  }

  /** Sends the head, though nothing has come yet. */
  begin(): void {
    if (!this.#connected) return;
    this.#hasBegun = true;
    this.#reply.raw.flushHeaders();
  }

  add(text: string): void {
    this.#due += text;
    if (this.#writing !== null || this.#due === '') return;
    if (!this.#hasBegun || this.#due.length >= sliceBytes) this.#write();
    else this.#soon ??= setImmediate(() => this.#write());
  }

  /** Resolves when more may be added. */
  async room(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Resolves when the connection has taken all of it. */
  async flushed(): Promise<void> {
    await this.room();
    if (this.#due === '') return;
    this.#write();
    await this.room();
  }

  /** Ends the body, what is due in the same write. Resolves when the connection has taken it. */
  async end(): Promise<void> {
    await this.room();
    const last = this.#takeDue();
    await this.#handed((taken) => this.#reply.raw.end(last, taken));
  }

  #takeDue(): string {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const text = this.#due;
    this.#due = '';
    return text;
  }

  #write(): void {
    this.#writing = this.#slices(this.#takeDue()).then(() => {
      this.#writing = null;
      this.add('');
    });
  }

  async #slices(text: string): Promise<void> {
    for (const slice of slicesOf(text)) {
      if (!this.#connected) return;
      await this.#handed((taken) => {
        if (this.#hasBegun) this.#reply.raw.write(slice, taken);
        else this.#beginWith(slice, taken);
      });
    }
  }

  /** Left to itself Node would wait with the head until the work that is due now has been done. */
  #beginWith(slice: string | Buffer, taken: () => void): void {
    const { raw } = this.#reply;
    this.#hasBegun = true;
    raw.cork();
    raw.write(slice, taken);
    raw.uncork();
  }

  async #handed(hand: (taken: () => void) => void): Promise<void> {
    if (!this.#connected) return;
    await new Promise<void>((resolve) => {
      let cancel = () => {};
      this.#letGo = () => {
        cancel();
        resolve();
      };
      // Never calls back at once.
      hand(this.#letGo);
      cancel = this.#clock.setTimer(patienceMs, () => {
        this.#reply.log.info('slow reader of a stream let go');
        this.#reply.raw.destroy();
      });
    });
  }

  #close(): void {
    this.#connected = false;
    this.#letGo();
    this.#onClose();
  }
}

/** Text that surely fits goes as it is: Node writes it together with the frame of its chunk. */
function* slicesOf(text: string): Generator<string | Buffer> {
  if (text.length * maxBytesPerUnit <= sliceBytes) return yield text;
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += sliceBytes) yield bytes.subarray(at, at + sliceBytes);
}
