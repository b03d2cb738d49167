import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Durability } from '../../../packages/holdfast/src/lib/redis/core/replicas.ts';
import { ask } from '../../servers/ask.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import type { RedisServer } from '../../servers/redis-server.ts';
import { faultScene } from '../support/failovers/fault-scene.ts';

async function scene(durability: Durability, replicas = 2) {
  const setup = await SentinelSetup.start({ replicas });
  onTestFinished(() => setup.stop());
  const place = {
    REDIS_SENTINEL_NODES: setup.addresses.join(','),
    REDIS_SENTINEL_MASTER: setup.master,
  };
  const { ledger, finish } = await faultScene(durability, [place, place], [setup]);
  /** Another server is the primary now. */
  const failedOver = (from: RedisServer) =>
    vi.waitUntil(async () => (await setup.primary()) !== from, { timeout: 60_000, interval: 50 });
  return { setup, ledger, finish, failedOver };
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
