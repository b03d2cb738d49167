import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeEach, describe, it } from 'vitest';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { suiteTarget } from '../support/suite-target.ts';

const { target, stop } = await suiteTarget({
  name: 'redis with sentinels',
  propertyRuns: 8,
  start: async () => {
    // Without replicas: one would run on another time than its primary.
    const setup = await SentinelSetup.start({ replicas: 0, startPrimary: startRedisOnFakeTime });
    const { first, master, addresses } = setup;
    return {
      port: first.port,
      place: { url: 'redis://primary', sentinel: { nodes: addresses, master } },
      setTime: (ms) => first.setTime(ms),
      stop: () => setup.stop(),
    };
  },
});
afterAll(stop);

sessionStoreSuite(target, { describe, it, beforeEach, afterEach });
