import { afterEach, beforeEach, describe, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { sessionStoreSuite } from '../testing/suite/session-store-suite.ts';
import { InMemorySessionStore } from './in-memory-session-store.ts';

sessionStoreSuite(
  {
    name: 'in memory',
    clock: new FakeClock(),
    create: async (options) => {
      const store = new InMemorySessionStore(options);
      return { open: async () => store, dispose: () => store.close() };
    },
  },
  { describe, it, beforeEach, afterEach },
);
