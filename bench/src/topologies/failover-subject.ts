import { setTimeout as sleep } from 'node:timers/promises';
import { SessionManager } from 'holdfast';
import { RedisSessionStore } from 'holdfast/redis';
import { ask } from '../../../tests/servers/ask.ts';
import { RedisCluster } from '../../../tests/servers/redis-cluster.ts';
import { SentinelSetup } from '../../../tests/servers/redis-sentinel.ts';
import type { RedisServer } from '../../../tests/servers/redis-server.ts';
import type { Figures } from '../figures.ts';
import { plainTurn } from '../plain-turn.ts';
import type { Measure, Subject } from '../subject.ts';

export interface FailoverSubjectOptions {
  readonly on: 'sentinel' | 'cluster';
}

/** Between two tries of a client whose turn was refused, in ms. */
const pauseMs = 10;
const session = 'session-in-trouble';

/** How long no turn succeeds when a primary dies, or hangs. Each time with servers of its own. */
export class FailoverSubject implements Subject {
  readonly #on: FailoverSubjectOptions['on'];

  constructor({ on }: FailoverSubjectOptions) {
    this.#on = on;
  }

  async measure(measure: Measure, count: number): Promise<Figures> {
    if (measure !== 'killed' && measure !== 'stopped') {
      throw new Error(`A failover has no measure ${measure}.`);
    }
    let [allMs, ownMs] = [0, 0];
    for (let n = 0; n < count; n += 1) {
      const taken = await this.#once(measure);
      allMs += taken.allMs;
      ownMs += taken.ownMs;
    }
    return { time: (allMs / count) * 1e6, ownTime: (ownMs / count) * 1e6 };
  }

  async stop(): Promise<void> {}

  async #once(how: 'killed' | 'stopped'): Promise<{ allMs: number; ownMs: number }> {
    await using servers =
      this.#on === 'cluster' ? await RedisCluster.start() : await SentinelSetup.start();
    const store = await RedisSessionStore.connect(
      servers instanceof RedisCluster
        ? { url: 'redis://cluster', cluster: { nodes: servers.addresses } }
        : {
            url: 'redis://primary',
            sentinel: { nodes: servers.addresses, master: servers.master },
          },
    );
    try {
      const sessions = new SessionManager({ store });
      await sessions.getOrCreate({ sessionId: session });
      const victim: RedisServer =
        servers instanceof RedisCluster ? await ownerOf(servers, store) : servers.first;
      const replicas = servers.nodes.slice(
        servers instanceof RedisCluster ? servers.primaryCount : 1,
      );
      if (how === 'killed') await victim.kill('SIGKILL');
      else await victim.pause();
      const from = performance.now();
      const promotion = promoted(replicas);
      while (!(await succeeds(sessions))) await sleep(pauseMs);
      const until = performance.now();
      // A turn may succeed before the looks at the replicas have seen it.
      return { allMs: until - from, ownMs: Math.max(until - (await promotion), 0) };
    } finally {
      await store.close();
    }
  }
}

/** When one of the replicas has become a primary: the servers have done their part then. */
async function promoted(replicas: readonly RedisServer[]): Promise<number> {
  for (;;) {
    // Sentinels end the connections of those that they reconfigure.
    const roles = await Promise.all(replicas.map(({ port }) => ask(port, 'ROLE').catch(() => '')));
    if (roles.some((role) => String(role).startsWith('master'))) return performance.now();
    await sleep(pauseMs);
  }
}

async function succeeds(sessions: SessionManager): Promise<boolean> {
  try {
    await sessions.turn(session, async (turn) => plainTurn(turn));
    return true;
  } catch {
    return false;
  }
}

/** The node that has the session: its keys are in the bucket's slot, which only the store knows. */
async function ownerOf(cluster: RedisCluster, store: RedisSessionStore): Promise<RedisServer> {
  const calls = async (node: RedisServer) =>
    Number(
      /^cmdstat_evalsha:calls=(\d+)/m.exec(
        String(await ask(node.port, 'INFO', 'commandstats')),
      )?.[1] ?? 0,
    );
  const before = await Promise.all(cluster.primaries.map(calls));
  for (let n = 0; n < 100; n += 1) await store.get(session, { fresh: true });
  const after = await Promise.all(cluster.primaries.map(calls));
  const most = after.map((count, at) => count - (before[at] ?? 0));
  const owner = cluster.primaries[most.indexOf(Math.max(...most))];
  if (owner === undefined) throw new Error('A cluster has primaries.');
  return owner;
}
