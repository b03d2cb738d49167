import type { FastifyInstance } from 'fastify';
import { within } from '../../within.ts';
import { healthAnswer, liveAnswer, readyAnswer } from '../api/answers.ts';
import { operation } from '../api/operations.ts';
import { presentStats } from '../api/presenters.ts';
import { noteWrongCredentials } from '../errors/error-handler.ts';
import { patienceMs } from '../observing/store-probe.ts';
import type { Services } from '../services.ts';

/** Polled every few seconds by whatever runs the server: only failures are worth a log line. */
const quiet = { logLevel: 'warn' } as const;

export async function healthRoutes(
  app: FastifyInstance,
  { sessions, gate, probe, clock }: Services,
): Promise<void> {
  const health = { tag: 'Health', by: 'anybody' } as const;

  /** The process answers. Nothing is looked at: a failing store is no reason to restart it. */
  const live = operation({
    ...health,
    id: 'isLive',
    summary: 'Whether the process answers',
    answers: { 200: liveAnswer },
  });
  app.get('/health/live', { ...quiet, schema: live }, async () => ({ live: true }));

  const ready = operation({
    ...health,
    id: 'isReady',
    summary: 'Whether requests can be served now',
    description: 'Not while the store is away, and not while the server closes.',
    answers: { 200: readyAnswer, 503: readyAnswer },
  });
  app.get('/health/ready', { ...quiet, schema: ready }, async (_request, reply) => {
    const ready = await probe.isReady();
    return reply.status(ready ? 200 : 503).send({ ready });
  });

  const whole = operation({
    ...health,
    id: 'getHealth',
    summary: 'Whether the session store works',
    description: 'The store is tried at most once a second. Operators get its figures, too.',
    answers: { 200: healthAnswer, 503: healthAnswer },
  });
  app.get('/health', { ...quiet, schema: whole }, async (request, reply) => {
    // It gets what anybody gets, and counts as a guess.
    if (gate.hasWrongKey(request)) noteWrongCredentials(request);
    const tellsStats = gate.caller(request).operator;
    const [{ healthy, operations }, stats] = await Promise.all([
      probe.check(),
      tellsStats
        ? within(
            patienceMs,
            clock,
            sessions.store.getStats().catch(() => null),
          )
        : null,
    ]);
    reply.status(healthy ? 200 : 503);
    if (!healthy || stats === null || stats === 'late') return { healthy, operations };
    return { healthy, operations, stats: presentStats(stats) };
  });
}
