import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeEach, describe, it } from 'vitest';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { suiteTarget } from '../support/suite-target.ts';

const { target, stop } = await suiteTarget({
  name: 'redis cluster',
  propertyRuns: 8,
  start: async () => {
    const cluster = await RedisCluster.startOnFakeTime();
    const [first] = cluster.nodes;
    return {
      port: first?.port ?? 0,
      place: { url: 'redis://cluster', cluster: { nodes: cluster.addresses.slice(0, 1) } },
      setTime: (ms) => {
        for (const node of cluster.nodes) node.setTime(ms);
      },
      stop: () => cluster.stop(),
    };
  },
});
afterAll(stop);

sessionStoreSuite(target, { describe, it, beforeEach, afterEach });
