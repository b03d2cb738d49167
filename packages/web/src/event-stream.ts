/** Server-sent events (WHATWG HTML, section 9.2.6), read from a `fetch`, which can also POST. */

export interface StreamEvent {
  /** The last id that the stream has named so far; empty when it named none. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Turns text, cut anywhere, into events. What is not closed by a blank line is no event. */
export class EventParser {
  #rest = '';
  #begun = false;
  #id = '';
  #type = '';
  #data: string[] = [];

  push(text: string): StreamEvent[] {
    if (text === '') return [];
    if (!this.#begun && text.startsWith('\uFEFF')) text = text.slice(1);
    this.#begun = true;
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    // A carriage return at the very end may be half of a line's end: it waits for the next piece.
    this.#rest = lines.pop() ?? '';
    return lines.flatMap((line) => this.#line(line) ?? []);
  }

  #line(line: string): StreamEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): StreamEvent | null {
    const event = { id: this.#id, type: this.#type || 'message', data: this.#data.join('\n') };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    return empty ? null : event;
  }
}

/** A stream that has said nothing for so long, not even a comment, is taken as broken. */
const IDLE_MS = 45_000;

/**
 * The events of a response's body until it ends. Throws what breaks it, and an error when it has
 * been silent for `idleMs`; a reader that leaves cancels it.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  idleMs = IDLE_MS,
): AsyncGenerator<StreamEvent, void> {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await orIdle(reader.read(), idleMs);
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

async function orIdle<Value>(work: Promise<Value>, idleMs: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The stream was silent for ${idleMs} ms.`)), idleMs);
  });
  try {
    return await Promise.race([work, idle]);
  } finally {
    clearTimeout(timer);
  }
}
