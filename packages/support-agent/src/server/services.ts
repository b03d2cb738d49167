import type { SessionManager } from 'holdfast';
import type { CustomerSupportAgent } from '../agent/customer-support-agent.ts';
import type { Gate } from './caller.ts';
import type { StoreProbe } from './store-probe.ts';

/** What the routes work with. */
export interface Services {
  readonly sessions: SessionManager;
  readonly agent: CustomerSupportAgent;
  readonly gate: Gate;
  readonly probe: StoreProbe;
}
