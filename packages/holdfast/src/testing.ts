export {
  createTestSessions,
  type TestSessionsOptions,
} from './lib/testing/create-test-sessions.ts';
export { FakeClock } from './lib/testing/fake-clock.ts';
export { type Fault, Faults, type StoreOperation } from './lib/testing/faults.ts';
export {
  type SuiteClock,
  type SuiteLimits,
  type SuiteRunner,
  type SuiteStores,
  type SuiteTarget,
  sessionStoreSuite,
} from './lib/testing/suite/session-store-suite.ts';
