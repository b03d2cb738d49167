import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/redis-options.ts';
import { ask } from '../../servers/ask.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import type { RedisServer } from '../../servers/redis-server.ts';
import { encrypting } from '../support/encryption.ts';
import { FailoverLedger } from '../support/failover-ledger.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const ids = Array.from({ length: 24 }, (_, at) => `s${at}`);

/** Two instances that write to sessions while something happens to the servers. */
async function scene(durability: Durability, replicas = 2) {
  const setup = await SentinelSetup.start({ replicas });
  onTestFinished(() => setup.stop());
  const place = new SharedNamespace('redis://primary', {
    ...{ durability, sentinel: { nodes: setup.addresses, master: setup.master } },
    ...{ leaseMs: 3_000, l1: {}, maxMessages: 100_000 },
  });
  const options = { codec: encrypting(place.keyPrefix) };
  const instances = [await place.instance(options), await place.instance(options)];
  const [one, other] = instances;
  if (one === undefined || other === undefined) throw new Error('There are two instances.');
  for (const id of ids) await one.store.create(id);
  const ledger = new FailoverLedger();
  const writing = ids.flatMap((id) => instances.map((instance) => ledger.write(instance, id)));
  await ledger.more();
  const finish = async () => {
    await ledger.more();
    ledger.stop();
    await Promise.all(writing);
    const lost = await ledger.check(other, ids);
    const { length } = ledger.acknowledged;
    console.log(
      `${durability}: ${lost} of ${length} lost; met ${JSON.stringify([...ledger.errors])}`,
    );
    return lost;
  };
  /** Another server is the primary now. */
  const failedOver = (from: RedisServer) =>
    vi.waitUntil(async () => (await setup.primary()) !== from, { timeout: 60_000, interval: 50 });
  return { setup, one, other, ledger, finish, failedOver };
}

describe.each(['replicated', 'async'] as const)('with sentinels, %s', (durability) => {
  it('turns go on at the replica that follows a killed primary', async () => {
    const { setup, finish, failedOver } = await scene(durability);
    await setup.first.kill('SIGKILL');
    await failedOver(setup.first);
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('turns go on when the primary stops answering, and nothing is written to it when it wakes', async () => {
    const { setup, ledger, finish, failedOver } = await scene(durability);
    await setup.first.pause();
    await failedOver(setup.first);
    await ledger.more();
    setup.first.resume();
    const replaced = async () =>
      String(await ask(setup.first.port, 'ROLE').catch(() => '')).startsWith('slave');
    await vi.waitUntil(replaced, { timeout: 60_000, interval: 50 });
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });

  it('turns go on at the replica when it is promoted by hand', async () => {
    // Of two, sentinels may choose the one that has not confirmed: they look at it every 10 s.
    const { setup, finish, failedOver } = await scene(durability, 1);
    const [sentinel] = setup.sentinels;
    await ask(sentinel?.at ?? '', 'SENTINEL', 'FAILOVER', setup.master);
    await failedOver(setup.first);
    const lost = await finish();
    if (durability === 'replicated') expect(lost).toBe(0);
  });
});
