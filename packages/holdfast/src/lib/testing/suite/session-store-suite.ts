import { expiryCases } from './expiry-cases.ts';
import { historyCases } from './history-cases.ts';
import { idempotencyCases } from './idempotency-cases.ts';
import { identityCases } from './identity-cases.ts';
import { leaseCases } from './lease-cases.ts';
import { listingCases } from './listing-cases.ts';
import { liveOutputCases } from './live-output-cases.ts';
import { outsideWriteCases } from './outside-write-cases.ts';
import { propertyCases } from './property-cases.ts';
import { queueCases } from './queue-cases.ts';
import { rateCases } from './rate-cases.ts';
import { sessionCases } from './session-cases.ts';
import { SuiteContext, type SuiteRunner, type SuiteTarget } from './suite-context.ts';
import { turnCases } from './turn-cases.ts';
import { unlockedCases } from './unlocked-cases.ts';
import { validationCases } from './validation-cases.ts';

export type {
  SuiteClock,
  SuiteLimits,
  SuiteRunner,
  SuiteStores,
  SuiteTarget,
} from './suite-context.ts';

/**
 * The contract of a session store as cases: every law of the design, with several writers where
 * there may be several. A driver that passes it can take the place of any other. Needs `fast-check`
 * for its properties.
 */
export function sessionStoreSuite(target: SuiteTarget, runner: SuiteRunner): void {
  runner.describe(`the session store contract: ${target.name}`, () => {
    const context = new SuiteContext(target, runner);
    runner.afterEach(() => context.disposeAll());
    sessionCases(context);
    outsideWriteCases(context);
    leaseCases(context);
    queueCases(context);
    turnCases(context);
    idempotencyCases(context);
    expiryCases(context);
    historyCases(context);
    liveOutputCases(context);
    identityCases(context);
    listingCases(context);
    rateCases(context);
    validationCases(context);
    unlockedCases(context);
    propertyCases(context);
  });
}
