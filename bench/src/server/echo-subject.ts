import type { ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { type MessageRole, SessionManager } from 'holdfast';
import { InMemorySessionStore } from 'holdfast/memory';
import type { Figures } from '../figures.ts';
import type { Measure, Subject } from '../subject.ts';

/** An answer as the server gave it: what went over the wire, and what was stored. */
export interface SampleAnswer {
  /** The event stream's text. */
  readonly stream: string;
  /** The data of its live events. */
  readonly events: readonly { readonly type: string }[];
  /** Of its turn, the customer's first. */
  readonly messages: readonly { readonly role: MessageRole; readonly content: unknown }[];
  /** What a repeat under its key would be answered. */
  readonly outcome: unknown;
}

export interface EchoSubjectOptions {
  readonly port: number;
  readonly sample: SampleAnswer;
}

/**
 * A Fastify server of bare routes, without logs, hooks or schemas. `/echo` parses JSON and sends it
 * back: what HTTP costs by itself. `/stream` sends the sample's event stream, as the server does, in
 * two writes. `/turn/:id` has a turn before, which stores what the sample's did and makes nothing.
 */
export class EchoSubject implements Subject {
  readonly #app: FastifyInstance;
  readonly #sessions: SessionManager;

  private constructor(app: FastifyInstance, sessions: SessionManager) {
    this.#app = app;
    this.#sessions = sessions;
  }

  static async create({ port, sample }: EchoSubjectOptions): Promise<EchoSubject> {
    const app = Fastify({ logger: false });
    const sessions = new SessionManager({ store: new InMemorySessionStore({}) });
    const send = streamOf(sample);
    app.get('/pid', async () => process.pid);
    app.post('/echo', async ({ body }) => body);
    app.post('/stream', async (_, reply) => send(reply.hijack().raw));
    app.post<{ Params: { id: string }; Headers: { 'idempotency-key': string } }>(
      '/turn/:id',
      async ({ params, headers }, reply) => {
        await storeLike(sample, sessions, params.id, headers['idempotency-key']);
        send(reply.hijack().raw);
      },
    );
    await app.listen({ host: '127.0.0.1', port });
    return new EchoSubject(app, sessions);
  }

  async measure(measure: Measure): Promise<Figures> {
    throw new Error(`The echo has no measure ${measure}: its callers measure it.`);
  }

  async stop(): Promise<void> {
    await this.#app.close();
    await this.#sessions.close();
  }
}

/** Its first event goes alone, all others together. */
function streamOf({ stream }: SampleAnswer): (response: ServerResponse) => void {
  const first = stream.indexOf('\n\n') + 2;
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(stream.slice(0, first), () => response.end(stream.slice(first)));
  };
}

/** The two commits of an answer: the customer's message, and all that goes with the answer. */
async function storeLike(
  { messages, events, outcome }: SampleAnswer,
  sessions: SessionManager,
  id: string,
  idempotencyKey: string,
): Promise<void> {
  const [question, ...others] = messages;
  if (question === undefined) throw new Error('The sample has no messages.');
  await sessions.getOrCreate({ sessionId: id });
  await sessions.turn(id, { idempotencyKey, idempotencyRequest: question }, async (turn) => {
    turn.append(question);
    turn.increment('messageCount');
    await turn.checkpoint();
    for (const event of events) turn.emit(event);
    for (const message of others) turn.append(message);
    turn.increment('answers');
    return outcome;
  });
}
