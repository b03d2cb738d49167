import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A request for a chat completion, as it came over the wire. */
export interface ChatRequest {
  readonly authorization: string | undefined;
  readonly path: string;
  readonly body: {
    readonly model: string;
    readonly stream: boolean;
    readonly messages: readonly ChatMessage[];
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
    readonly stream_options?: unknown;
  };
  /** Resolves when its connection is closed, whoever does it. */
  readonly closed: Promise<void>;
}

interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

/** How one request is answered. */
export type ChatAnswer = (response: ServerResponse, request: ChatRequest) => void | Promise<void>;

/**
 * A server with OpenAI's chat completions, as far as their stream goes, that answers each request as a
 * test wrote it, over real connections. Without an answer written for it a request fails the test.
 */
export class ChatServer {
  readonly requests: ChatRequest[] = [];
  readonly #server: Server;
  readonly #answers: ChatAnswer[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** It ends with the test. */
  static async start(...answers: readonly ChatAnswer[]): Promise<ChatServer> {
    const server = new ChatServer();
    server.next(...answers);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => server.stop());
    return server;
  }

  /** As OPENAI_API_BASE has it. */
  get base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Answers for the requests to come, behind those that wait already. */
  next(...answers: readonly ChatAnswer[]): void {
    this.#answers.push(...answers);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const request: ChatRequest = {
      authorization: incoming.headers.authorization,
      path: incoming.url ?? '',
      body: (await json(incoming)) as ChatRequest['body'],
      closed,
    };
    this.requests.push(request);
    const answer = this.#answers.shift() ?? unexpected;
    await answer(response, request);
  }
}

const unexpected: ChatAnswer = (response) => {
  response.writeHead(400, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: 'Nobody wrote this.', code: 'unexpected' } }));
};

/** A refusal with a status, as OpenAI words it. */
export function refusal(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): ChatAnswer {
  return (response, { authorization }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    // Servers quote what they got.
    const message = `Refused: ${authorization}`;
    response.end(JSON.stringify({ error: { message, type: 'error', param: null, code } }));
  };
}

/** What a stream says: deltas as they stand in chunks. */
export interface Delta {
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly refusal?: string;
  readonly tool_calls?: readonly object[];
}

export const said = (...pieces: readonly string[]): Delta[] =>
  pieces.map((content) => ({ content }));

/** A call of a tool in fragments: its name first, then its arguments in pieces of a few characters. */
export function called(name: string, input: string, index = 0): Delta[] {
  const start = { index, id: `call_${index}`, type: 'function', function: { name, arguments: '' } };
  const pieces = input.match(/.{1,5}/gsu) ?? [];
  return [
    { tool_calls: [start] },
    ...pieces.map((text) => ({ tool_calls: [{ index, function: { arguments: text } }] })),
  ];
}

export const search = (query: string) => called('search_knowledge', JSON.stringify({ query }));

interface StreamEnd {
  readonly reason?: string;
  readonly usage?: readonly [input: number, output: number];
}

/** The whole text of a stream. */
export function streamOf(deltas: readonly Delta[], { reason, usage }: StreamEnd = {}): string {
  const calls = deltas.some(({ tool_calls }) => tool_calls !== undefined);
  return [
    ...chunksOf(deltas),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: reason ?? endOf(calls) }] }),
    ...(usage === undefined
      ? []
      : [chunk({ choices: [], usage: { prompt_tokens: usage[0], completion_tokens: usage[1] } })]),
    'data: [DONE]\n\n',
  ].join('');
}

const endOf = (calls: boolean) => (calls ? 'tool_calls' : 'stop');

/** The beginning of a stream, without an end. */
export function chunksOf(deltas: readonly Delta[]): string[] {
  return [{ role: 'assistant', content: '' }, ...deltas].map((delta) =>
    chunk({ choices: [{ index: 0, delta, finish_reason: null }] }),
  );
}

function chunk(fields: object): string {
  const about = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' };
  return `data: ${JSON.stringify({ ...about, ...fields })}\n\n`;
}

/** Streams an answer; three bytes at a time, each in a write of its own, so that letters are cut too. */
export function streamed(deltas: readonly Delta[], end: StreamEnd = {}): ChatAnswer {
  return async (response) => {
    begin(response);
    const bytes = Buffer.from(streamOf(deltas, end));
    for (let at = 0; at < bytes.length; at += 3) {
      await new Promise((resolve) => response.write(bytes.subarray(at, at + 3), resolve));
    }
    response.end();
  };
}

/** Streams a text as it is, and ends. */
export function raw(text: string): ChatAnswer {
  return (response) => {
    begin(response);
    response.end(text);
  };
}

/** Says something, and then nothing more; the connection stays. */
export function hanging(deltas?: readonly Delta[]): ChatAnswer {
  return (response) => {
    if (deltas === undefined) return;
    begin(response);
    response.write(chunksOf(deltas).join(''));
  };
}

/** Says something, and then the connection breaks. */
export function cutOff(deltas: readonly Delta[]): ChatAnswer {
  return (response) => {
    begin(response);
    response.write(chunksOf(deltas).join(''), () => response.destroy());
  };
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}
