import type { Clock, SessionManager } from 'holdfast';
import type { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { AuditLog } from './audit-log.ts';
import type { Gate } from './caller.ts';
import type { Metrics } from './metrics.ts';
import type { OpenStreams } from './open-streams.ts';
import type { RateLimits } from './rate-limits.ts';
import type { StoreProbe } from './store-probe.ts';

/** What the routes work with. */
export interface Services {
  readonly sessions: SessionManager;
  readonly agent: CustomerSupportAgent;
  readonly knowledge: Knowledge;
  readonly gate: Gate;
  readonly limits: RateLimits;
  readonly audit: AuditLog;
  readonly probe: StoreProbe;
  readonly streams: OpenStreams;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Gives up the turns that still run when the server has to end. */
  readonly giveUp: AbortSignal | undefined;
}
