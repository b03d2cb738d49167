import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../../servers/redis-server.ts';
import { InstanceProgram } from '../support/failovers/instance-process.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';
import { GatedConnections } from './gated-connections.ts';

let server: RedisServer;
let program: InstanceProgram;
beforeAll(async () => {
  [server, program] = await Promise.all([startRedis(), InstanceProgram.build()]);
});
afterAll(async () => {
  await server.stop();
  program.remove();
});

const stalenessMs = 60;
const turns = 60;

it('no read is further behind two other processes than the bound, heard or not', async () => {
  const place = new SharedNamespace(server.url);
  const gates = new GatedConnections();
  const { store } = await place.instance({ l1: { stalenessMs }, connect: gates.connect });
  const settings = { store: { url: server.url, keyPrefix: place.keyPrefix }, leaseMs: 30_000 };
  const writers = await Promise.all([program.start(settings), program.start(settings)]);
  const ids = ['a', 'b'];
  for (const id of ids) await store.create(id);
  /** When each message of a session was acknowledged, in that order. */
  const acknowledged = new Map(ids.map((id) => [id, [] as number[]]));
  let isWriting = true;
  let served = 0;
  const reading = (async () => {
    while (isWriting) {
      for (const id of ids) {
        const due = performance.now() - stalenessMs;
        const wanted = acknowledged.get(id)?.filter((at) => at <= due).length ?? 0;
        const calls = gates.calls;
        const session = await store.get(id);
        if (gates.calls === calls) served += 1;
        expect(session?.messageCount).toBeGreaterThanOrEqual(wanted);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let n = 0; n < turns; n += 1) {
    gates.isDeaf = n % 20 < 10;
    await Promise.all(
      writers.map(async (writer, at) => {
        const id = ids[(n + at) % ids.length] ?? '';
        const name = `${at}-${n}`;
        writer.turn(name, id);
        await writer.says('working', name);
        writer.go(name);
        await writer.says('done', name);
        acknowledged.get(id)?.push(performance.now());
      }),
    );
  }
  isWriting = false;
  await reading;
  expect(served).toBeGreaterThan(0);
  for (const id of ids) {
    expect((await store.get(id, { fresh: true }))?.messageCount).toBe(turns);
  }
});
