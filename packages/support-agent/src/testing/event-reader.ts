import { once } from 'node:events';
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** An event as a browser's EventSource would dispatch it. */
export interface ReceivedEvent {
  /** The last id that came, with this event or before it. */
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface ReadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, by POST; without it the address is got. */
  readonly body?: object;
}

/** Somebody who reads an event stream over a connection of their own. */
export class EventReader {
  readonly response: IncomingMessage;
  readonly events: ReceivedEvent[] = [];
  comments = 0;
  /** What the stream said last of when to come back. */
  retry: number | undefined;
  isOver = false;
  readonly #request: ClientRequest;
  #rest = '';
  #lastId = '';
  #wake = () => {};

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.response = response;
  }

  /** Reads a stream until it ends, the reader leaves or the test does. */
  static async open(address: string, options: ReadOptions = {}): Promise<EventReader> {
    const reader = await EventReader.connect(address, options);
    const { response } = reader;
    if (response.statusCode !== 200) {
      throw new Error(`No stream: ${response.statusCode} ${await text(response)}`);
    }
    response.setEncoding('utf8').on('data', (piece: string) => reader.#take(piece));
    response.once('close', () => {
      reader.isOver = true;
      reader.#wake();
    });
    return reader;
  }

  /** The same, of which nothing is read: what comes waits at the server. */
  static async connect(address: string, { headers, body }: ReadOptions = {}): Promise<EventReader> {
    // As a browser does, it keeps the connection for requests to come.
    const agent = new Agent({ keepAlive: true });
    const request = httpRequest(address, {
      method: body === undefined ? 'GET' : 'POST',
      agent,
      headers: {
        accept: 'text/event-stream',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    onTestFinished(() => {
      request.destroy();
      agent.destroy();
    });
    request.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => {}); // the reader's leaving, or the server's end
    response.on('error', () => {});
    return new EventReader(request, response);
  }

  /** The events up to the first that `isLast`, as soon as it is there. */
  async until(isLast: (event: ReceivedEvent) => boolean): Promise<readonly ReceivedEvent[]> {
    for (;;) {
      const at = this.events.findIndex(isLast);
      if (at !== -1) return this.events.slice(0, at + 1);
      if (this.isOver) {
        throw new Error(`The stream ended without it: ${JSON.stringify(this.events)}`);
      }
      await this.#more();
    }
  }

  /** All events, once the stream has ended. */
  async all(): Promise<readonly ReceivedEvent[]> {
    while (!this.isOver) await this.#more();
    return this.events;
  }

  leave(): void {
    this.#request.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** As the WHATWG HTML standard has it (section 9.2.6), of what this server sends. */
  #take(piece: string): void {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#dispatch(block.split('\n'));
    this.#wake();
  }

  #dispatch(lines: readonly string[]): void {
    let event = 'message';
    let data: string | undefined;
    for (const line of lines) {
      const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === '') this.comments += 1;
      else if (field === 'id') this.#lastId = value;
      else if (field === 'event') event = value;
      else if (field === 'retry') this.retry = Number(value);
      else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    }
    if (data !== undefined) this.events.push({ id: this.#lastId, event, data: JSON.parse(data) });
  }
}
