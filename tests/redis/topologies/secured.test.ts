import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeTemporaryFolder, removeFolder } from '../../helpers/temporary-folder.ts';
import { ask } from '../../servers/ask.ts';
import { RedisCluster } from '../../servers/redis-cluster.ts';
import { SentinelSetup } from '../../servers/redis-sentinel.ts';
import { certificate, hasOpenssl } from '../support/certificate.ts';
import { TlsFront } from '../support/lines/tls-front.ts';
import { SharedNamespace } from '../support/shared-namespace.ts';

const password = 'of-the-servers';
const sentinelPassword = 'of-the-sentinels';
const ids = Array.from({ length: 24 }, (_, at) => `s${at}`);

describe.skipIf(!hasOpenssl)('servers with passwords that are reached by TLS and a NAT map', () => {
  let folder: string;
  let pem: string;
  let files: { cert: string; key: string };
  beforeAll(() => {
    folder = makeTemporaryFolder();
    const { key, cert, pem: text } = certificate(folder, 'front', 2);
    pem = text;
    files = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  });
  afterAll(() => removeFolder(folder));

  /** A front before each server, and the map that leads there. */
  async function fronts(ports: readonly number[]) {
    const made = await Promise.all(ports.map((port) => TlsFront.before(port, files)));
    const pairs = made.map(({ port }, at) => [`127.0.0.1:${ports[at]}`, `127.0.0.1:${port}`]);
    return { made, natMap: Object.fromEntries(pairs) as Record<string, string> };
  }

  /** Turns on many sessions, and one that waits for another instance. */
  async function converse(place: SharedNamespace): Promise<void> {
    const [one, other] = [await place.instance(), await place.instance()];
    for (const id of ids) await one.store.create(id);
    const counts = await Promise.all(ids.map((id) => other.store.incrementCounter(id, 'n')));
    expect(counts).toEqual(ids.map(() => 1));
    const grant = await one.begin('s0', { leaseMs: 600_000 });
    const waiting = other.begin('s0', { leaseMs: 600_000, waitMs: 600_000 });
    await vi.waitUntil(async () => (await one.store.getStats()).waiters === 1, { timeout: 60_000 });
    await one.store.release(grant.lease);
    await other.store.release((await waiting).lease);
    await one.store.delete('s0');
    expect(await other.store.get('s0', { fresh: true })).toBeNull();
  }

  it('a cluster works', async () => {
    await using cluster = await RedisCluster.start({ replicas: 0 });
    for (const { port } of cluster.nodes) {
      await ask(port, 'CONFIG', 'SET', 'masterauth', password, 'requirepass', password);
    }
    const { made, natMap } = await fronts(cluster.nodes.map(({ port }) => port));
    const options = {
      ...{ cluster: { nodes: cluster.addresses.slice(0, 1) }, natMap },
      ...{ tls: { ca: pem }, username: 'default' },
    };
    const place = new SharedNamespace('rediss://cluster', { ...options, password });
    await converse(place);
    for (const { connections } of made) expect(connections).toBeGreaterThan(0);
    const wrong = new SharedNamespace('rediss://cluster', { ...options, password: 'another' });
    await expect(wrong.instance()).rejects.toThrow(/WRONGPASS|password/i);
  });

  it('sentinels and their primary work', async () => {
    await using setup = await SentinelSetup.start({ replicas: 1, downAfterMs: 60_000 });
    for (const node of setup.nodes) {
      await ask(node.port, 'CONFIG', 'SET', 'masterauth', password, 'requirepass', password);
    }
    for (const { at } of setup.sentinels) {
      await ask(at, 'SENTINEL', 'SET', setup.master, 'auth-pass', password);
      await ask(at, 'SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', sentinelPassword);
      await ask(at, 'ACL', 'SETUSER', 'default', 'resetpass', `>${sentinelPassword}`);
    }
    const sentinelPorts = setup.addresses.map((at) => Number(at.split(':')[1]));
    const { made, natMap } = await fronts([setup.first.port, ...sentinelPorts]);
    const sentinel = (own: string) => ({
      nodes: sentinelPorts.map((port) => natMap[`127.0.0.1:${port}`] ?? ''),
      ...{ master: setup.master, password: own },
    });
    const options = { natMap, tls: { ca: pem }, password };
    const place = new SharedNamespace('rediss://primary', {
      ...options,
      sentinel: sentinel(sentinelPassword),
    });
    await converse(place);
    for (const { connections } of made) expect(connections).toBeGreaterThan(0);
    const wrong = new SharedNamespace('rediss://primary', {
      ...options,
      sentinel: sentinel('another'),
    });
    await expect(wrong.instance()).rejects.toThrow(/WRONGPASS|password/i);
  });
});
