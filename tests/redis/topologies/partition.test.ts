import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { ask } from '../../servers/ask.ts';
import { Networks } from '../../servers/networks.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { encrypting } from '../support/encryption.ts';
import { FailoverLedger } from '../support/failover-ledger.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const unavailable = await Networks.unavailable();
if (unavailable !== null) console.log(`The partition is not tested here: ${unavailable}.`);

const ids = Array.from({ length: 24 }, (_, at) => `s${at}`);
/** How long the networks stay cut: it is the fault's own length, not a wait for anything. */
const cutMs = 8_000;

/**
 * The primary and one sentinel in one network, the replicas and two sentinels in the other; the
 * instances reach both. Cut from each other, each side goes on with a primary of its own.
 */
async function scene(durability: Durability) {
  const networks = await Networks.start();
  onTestFinished(() => networks.stop());
  const setup = await SentinelSetup.start({
    networks: { primary: networks.one, others: networks.other },
  });
  onTestFinished(() => setup.stop());
  const { master, addresses } = setup;
  const place = new SharedNamespace('redis://primary', {
    ...{ durability, sentinel: { nodes: addresses, master } },
    ...{ leaseMs: 3_000, l1: {}, maxMessages: 100_000 },
  });
  const codec = encrypting(place.keyPrefix);
  // One that knows only the sentinel that is cut off stays with the old primary: the worst case.
  const cutOff = { nodes: addresses.slice(0, 1), master };
  const one = await place.instance({ codec, sentinel: cutOff });
  const other = await place.instance({ codec });
  for (const id of ids) await one.store.create(id);
  const ledger = new FailoverLedger();
  const writing = ids.flatMap((id) => [one, other].map((instance) => ledger.write(instance, id)));
  await ledger.more();
  return { networks, setup, other, ledger, writing };
}

describe.skipIf(unavailable !== null)('a primary cut from its replicas', () => {
  it.each(['replicated', 'async'] as const)(
    'with %s loses what that allows, and doubles nothing',
    async (durability) => {
      const { networks, setup, other, ledger, writing } = await scene(durability);
      await networks.cut();
      await sleep(cutMs);
      await networks.heal();
      const { host, port } = setup.first;
      const isReplica = async () =>
        String(await ask(`${host}:${port}`, 'ROLE')).startsWith('slave');
      await vi.waitUntil(isReplica, { timeout: 60_000, interval: 50 });
      await ledger.more();
      ledger.stop();
      await Promise.all(writing);
      const lost = await ledger.check(other, ids);
      const { length } = ledger.acknowledged;
      const met = JSON.stringify([...ledger.errors]);
      console.log(`${durability}: ${lost} of ${length} lost; met ${met}`);
      if (durability === 'replicated') expect(lost).toBe(0);
    },
  );
});
