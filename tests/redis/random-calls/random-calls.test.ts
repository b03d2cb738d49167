import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { seededRandom } from '../support/lines/seeded-random.ts';
import { type Call, RandomCalls } from './random-calls.ts';
import { again, TwoDrivers } from './two-drivers.ts';

/** How many sequences there are: more of them find more, with other numbers other ones. */
const sequences = Number(process.env.RANDOM_SEQUENCES ?? 100);
const first = Number(process.env.RANDOM_SEED ?? 1);
const length = 80;

let server: FakeTimeRedis;
let now = Date.UTC(2030, 0, 1);
beforeAll(async () => {
  server = await startRedisOnFakeTime();
  // How long after a lease's end who waits for it asks again.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await server.stop();
});

it.each(Array.from({ length: sequences }, (_, index) => first + index))(
  'both drivers answer random calls alike: sequence %i',
  async (seed) => {
    const random = seededRandom(seed);
    const oneOf = <Value>(...values: Value[]) => values[Math.floor(random() * values.length)];
    const locking = random() < 0.85;
    const calls = new RandomCalls({ random, locking, leaseMs: oneOf(2_000, 30_000) ?? 0 });
    const drivers = await TwoDrivers.open(server, now, {
      idleTimeoutMs: 60_000,
      absoluteTimeoutMs: 200_000,
      outcomeTtlMs: 90_000,
      maxMessages: oneOf(5, 1_000),
      maxPerUser: oneOf(0, 2),
      maxPerUserPolicy: oneOf('evict_oldest', 'reject'),
      locking,
      ...(random() < 0.5 ? { l1: { size: 100, ttlMs: 60_000, stalenessMs: 250 } } : {}),
    });
    onTestFinished(async () => {
      now = drivers.now + 1_000;
      await drivers.close();
    });
    let last: { readonly call: Call; readonly instance: 0 | 1 } | undefined;
    for (let made = 0; made < length; made += 1) {
      const instance = random() < 0.5 ? 0 : 1;
      if (last?.call.isRepeatable && random() < 0.15) {
        const { call } = last;
        // One that waits is waited for where it was asked for.
        const where = call.text.startsWith('begin') ? last.instance : instance;
        const difference = await drivers.make({ ...call, text: `${again}${call.text}` }, where);
        expect(difference, drivers.log.join('\n')).toBeUndefined();
        continue;
      }
      const call = calls.next(drivers.leases);
      last = { call, instance };
      const difference = await drivers.make(call, instance);
      expect(difference, drivers.log.join('\n')).toBeUndefined();
    }
  },
);
