import type { FastifyInstance } from 'fastify';
import { metricsText } from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import type { Services } from '../services.ts';

/** For Prometheus, with the operators' key or a token of its own. */
export async function metricsRoutes(
  app: FastifyInstance,
  { gate, metrics }: Services,
): Promise<void> {
  app.addHook('onRequest', async (request) => gate.requireScraper(request));
  const scrape = operation({
    id: 'getMetrics',
    tag: 'Operators',
    by: 'operators',
    summary: 'Metrics for Prometheus',
    description: [
      'Of the process, the session store (its gauges left out while it does not answer), turns, calls',
      'of the model and of tools, and how long requests took. `METRICS_TOKEN` may read it, too.',
    ].join(' '),
    answers: { 200: metricsText },
    produces: ['text/plain'],
  });
  app.get('/metrics', { schema: scrape, logLevel: 'warn' }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
}
