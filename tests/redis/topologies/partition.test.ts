import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/core/replicas.ts';
import { ask } from '../../servers/ask.ts';
import { Networks } from '../../servers/networks.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { faultScene } from '../support/failovers/fault-scene.ts';

const unavailable = await Networks.unavailable();
if (unavailable !== null) console.log(`The partition is not tested here: ${unavailable}.`);

/** How long the networks stay cut: it is the fault's own length, not a wait for anything. */
const cutMs = 8_000;

/**
 * The primary and one sentinel in one network, the replicas and two sentinels in the other; the
 * servers reach both. Cut from each other, each side goes on with a primary of its own.
 */
async function scene(durability: Durability) {
  const networks = await Networks.start();
  onTestFinished(() => networks.stop());
  const setup = await SentinelSetup.start({
    networks: { primary: networks.one, others: networks.other },
  });
  onTestFinished(() => setup.stop());
  const { master, addresses } = setup;
  const placeBy = (sentinels: readonly string[]) => ({
    REDIS_SENTINEL_NODES: sentinels.join(','),
    REDIS_SENTINEL_MASTER: master,
  });
  // A server that knows only the sentinel that is cut off stays with the old primary: the worst case.
  const places = [placeBy(addresses.slice(0, 1)), placeBy(addresses)] as const;
  return { networks, setup, ...(await faultScene(durability, places, [setup])) };
}

describe.skipIf(unavailable !== null)('a primary cut from its replicas', () => {
  it.each(['replicated', 'async'] as const)(
    'with %s loses what that allows, and doubles nothing',
    async (durability) => {
      const { networks, setup, outages, finish } = await scene(durability);
      // One server cannot get away from the old primary before it is healed.
      await outages.during(async () => {
        await networks.cut();
        await sleep(cutMs);
        await networks.heal();
      });
      const { host, port } = setup.first;
      const isReplica = async () =>
        String(await ask(`${host}:${port}`, 'ROLE')).startsWith('slave');
      await vi.waitUntil(isReplica, { timeout: 60_000, interval: 50 });
      const lost = await finish();
      if (durability === 'replicated') expect(lost).toBe(0);
    },
  );
});
