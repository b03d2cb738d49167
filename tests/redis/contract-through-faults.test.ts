import { sessionStoreSuite } from 'holdfast/testing';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FlakyProxy } from './support/lines/flaky-proxy.ts';
import { suiteTarget } from './support/suite-target.ts';

/** Which faults there are, and where: another one finds other interleavings. */
const seed = Number(process.env.FLAKY_SEED ?? 5);
let proxy: FlakyProxy | undefined;
const { target, stop } = await suiteTarget({
  name: 'redis, through faults',
  // Of the retries' attempts one always gets through, and its outcome is known.
  timeoutMs: 8_000,
  retries: 7,
  propertyRuns: 5,
  // As stored by whoever has set no key.
  codecFor: () => undefined,
  through: async (server) => {
    proxy = await FlakyProxy.start(server.port, { rate: 0.005, seed, maxInARow: 2 });
    return proxy;
  },
});
afterAll(stop);

sessionStoreSuite(target, { describe, it, beforeEach, afterEach });

it('had faults of every kind to go through', () => {
  const faults = proxy?.faults;
  expect(Object.keys(faults ?? {}).sort()).toEqual([
    'blackHole',
    'cutBeforeReply',
    'cutBeforeRequest',
    'cutMidReply',
    'delay',
    'split',
  ]);
  for (const [kind, count] of Object.entries(faults ?? {})) expect(count, kind).toBeGreaterThan(0);
});
