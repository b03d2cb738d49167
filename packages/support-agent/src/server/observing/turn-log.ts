import type { FastifyBaseLogger } from 'fastify';
import type { SessionManager } from 'holdfast';

/** One line for each turn that has ended, until what it returns is called. */
export function logTurns(sessions: SessionManager, logger: FastifyBaseLogger): () => void {
  return sessions.on('turnEnded', ({ requestId, waitMs, workMs, commitMs, ...turn }) => {
    const line = {
      reqId: requestId,
      ...turn,
      waitMs: Math.round(waitMs),
      workMs: Math.round(workMs),
      commitMs: Math.round(commitMs),
    };
    const level = turn.outcome === 'failed' ? 'warn' : 'info';
    logger[level](line, `turn ${turn.outcome}`);
  });
}
