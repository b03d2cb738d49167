import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type FakeTimeRedis, startRedisOnFakeTime } from '../../servers/redis-server.ts';
import { play } from './concurrent/round.ts';
import { inMemory, onRedis, type Scene } from './concurrent/scenes.ts';

/** How many rounds there are of each kind: more of them find more, with other numbers other ones. */
const rounds = Number(process.env.RANDOM_SEQUENCES ?? 3);
const first = Number(process.env.RANDOM_SEED ?? 1);
const seeds = Array.from({ length: rounds }, (_, index) => first + index);
const idleTimeoutMs = 15_000;

let server: FakeTimeRedis;
let now = Date.UTC(2030, 0, 1);
beforeAll(async () => {
  server = await startRedisOnFakeTime();
});
afterAll(() => server.stop());

async function expectLawful(scene: Scene, seed: number): Promise<void> {
  onTestFinished(async () => {
    now = scene.clock.now() + 1_000;
    await scene.close();
  });
  const { breaches, log } = await play(scene, { seed, callers: 8, calls: 15, idleTimeoutMs });
  expect(breaches, log.join('\n')).toEqual([]);
}

it.each(seeds)('concurrent calls keep the laws in memory: round %i', async (seed) => {
  await expectLawful(inMemory({ idleTimeoutMs }), seed);
});

it.each(seeds)('concurrent calls keep the laws on Redis: round %i', async (seed) => {
  const options = { server, start: now, seed, idleTimeoutMs, isEncrypted: seed % 2 === 0 };
  await expectLawful(await onRedis({ ...options, faultRate: 0 }), seed);
});

it.each(seeds)('concurrent calls keep the laws through faults: round %i', async (seed) => {
  const options = { server, start: now, seed, idleTimeoutMs, isEncrypted: seed % 2 === 0 };
  await expectLawful(await onRedis({ ...options, faultRate: 0.01 }), seed);
});
