import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { readmeSection } from '../helpers/readme.ts';
import { DockerDns } from './docker-dns.ts';
import { LoadBalancer, nginx } from './load-balancer.ts';

const section = readmeSection('Without containers', 'docs/deployment.md');

/** A server that answers by its own name; it ends with the test. */
async function serverNamed(name: string) {
  const server = createServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(async () => void (await end()));
  const { port } = server.address() as { port: number };
  return { port, end };
}

it.skipIf(nginx === undefined)(
  'nginx takes the instances that the page names in turn, and passes over one that is away (nginx)',
  async () => {
    const [one, other] = await Promise.all([serverNamed('one'), serverNamed('other')]);
    const [, upstream = ''] = /^```nginx\n(.*?)^```$/ms.exec(section) ?? [];
    const [, address = ''] = /`(set \$holdfast http:.*?;)`/.exec(section) ?? [];
    const named = upstream
      .replace('127.0.0.1:8001', `127.0.0.1:${one.port}`)
      .replace('127.0.0.1:8002', `127.0.0.1:${other.port}`);
    const dns = await DockerDns.start();
    const balancer = await LoadBalancer.start({
      config: 'plain.conf',
      dns,
      places: { 'http {': `http {\n${named}`, 'set $holdfast http://replica:8000;': address },
    });
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${balancer.port}/health`);
      return [response.status, await response.text()];
    };

    // Each of nginx's workers takes them in turn by itself.
    const seen = new Set<unknown>();
    await expect.poll(async () => seen.add((await ask()).join()).size, { timeout: 60_000 }).toBe(2);
    expect([...seen].toSorted()).toEqual(['200,one', '200,other']);
    await one.end();
    expect([await ask(), await ask()]).toEqual([
      [200, 'other'],
      [200, 'other'],
    ]);
    expect(dns.asked).toBe(0);
  },
);
