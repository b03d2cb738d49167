import type { FastifyInstance } from 'fastify';
import { presentStats } from '../presenters.ts';
import type { Services } from '../services.ts';

/** Polled every few seconds by whatever runs the server: only failures are worth a log line. */
const quiet = { logLevel: 'warn' } as const;

export async function healthRoutes(
  app: FastifyInstance,
  { sessions, gate, probe }: Services,
): Promise<void> {
  /** The process answers. Nothing is looked at: a failing store is no reason to restart it. */
  app.get('/health/live', quiet, async () => ({ live: true }));

  app.get('/health/ready', quiet, async (_request, reply) => {
    const { healthy } = await probe.check();
    return reply.status(healthy ? 200 : 503).send({ ready: healthy });
  });

  app.get('/health', quiet, async (request, reply) => {
    const { healthy, operations } = await probe.check();
    reply.status(healthy ? 200 : 503);
    if (!healthy || !gate.caller(request).operator) return { healthy, operations };
    return { healthy, operations, stats: presentStats(await sessions.store.getStats()) };
  });
}
