import Fastify, { type FastifyInstance } from 'fastify';
import type { Figures } from '../figures.ts';
import type { Measure, Subject } from '../subject.ts';

export interface EchoSubjectOptions {
  readonly port: number;
}

/** A Fastify server whose one route parses JSON and sends it back: what HTTP costs by itself. */
export class EchoSubject implements Subject {
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  static async create({ port }: EchoSubjectOptions): Promise<EchoSubject> {
    const app = Fastify({ logger: false });
    app.post('/echo', async ({ body }) => body);
    await app.listen({ host: '127.0.0.1', port });
    return new EchoSubject(app);
  }

  async measure(measure: Measure): Promise<Figures> {
    throw new Error(`The echo has no measure ${measure}: its callers measure it.`);
  }

  async stop(): Promise<void> {
    await this.#app.close();
  }
}
