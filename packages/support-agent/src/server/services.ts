import type { Clock, SessionManager } from 'holdfast';
import type { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import type { Knowledge } from '../knowledge/knowledge-base.ts';
import type { Gate } from './access/caller.ts';
import type { RateLimits } from './access/rate-limits.ts';
import type { AuditLog } from './observing/audit-log.ts';
import type { Metrics } from './observing/metrics.ts';
import type { StoreProbe } from './observing/store-probe.ts';
import type { OpenStreams } from './streams/open-streams.ts';

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
